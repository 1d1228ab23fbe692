"""Arrays, which the server sends as JSON lists of text, as Arrow lists."""

from __future__ import annotations

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.connectors.postgres.types import Column
from dativo_provider.model.batch import Unrepresentable
from dativo_provider.model.types import to_arrow

__all__ = ["to_list"]


def to_list(values: pa.StringArray, column: Column) -> pa.ListArray:
    """Raises `Unrepresentable` for an item its type cannot hold, and for more than one dimension."""
    document = f"[{','.join('null' if text is None else text for text in values.to_pylist())}]"
    item = to_arrow(column.type.removeprefix("list<").removesuffix(">"))
    try:
        lists = pa.array(orjson.loads(document), pa.list_(pa.string()))
        items = _items(lists.values, item)
        return pa.ListArray.from_arrays(lists.offsets, items, type=pa.list_(item), mask=pc.is_null(lists))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise Unrepresentable((column.name,), f"a value is no {column.type}") from None


def _items(values: pa.StringArray, item: pa.DataType) -> pa.Array:
    if pa.types.is_binary(item):
        return pa.array([None if text is None else bytes.fromhex(text[2:]) for text in values.to_pylist()], item)
    return pc.cast(values, item)
