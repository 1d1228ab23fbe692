"""SQL that people write over entries (`--where`, `--set`): one expression each, in the sandbox of transformations.

It sees the original values. A column has its contract's type; what that type cannot hold is NULL there, and as the
source had it in `raw->>'name'`. Of rejected text only `raw` is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.inbox import Entry
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.inbox.box import Box
from dativo_provider.pipeline.inbox.values import text_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Expressions", "columns_of", "filtered", "lots"]

_LOT = 2000
_RAW = "raw"
T = TypeVar("T")


def lots(items: Iterable[T], size: int = _LOT) -> Iterator[list[T]]:
    iterator = iter(items)
    while lot := list(islice(iterator, size)):
        yield lot


def columns_of(box: Box) -> tuple[Field, ...]:
    """What a row of the stream has: the contract's columns, or without a contract the table's."""
    return box.spec.contract.fields or box.target.columns(box.job, box.spec) or ()


def filtered(box: Box, entries: Iterable[Entry], where: str) -> Iterator[Entry]:
    """Those for which `where` is true; where it fails or is NULL it is not."""
    condition = Expressions(box, {"--where": where})
    for lot in lots(entries):
        [answers] = condition.evaluate(lot)[0].values()
        yield from (entry for entry, answer in zip(lot, answers, strict=True) if answer == "true")


class Expressions:
    """Compiled once. Raises `ConfigurationError` for one that is none, or that does not fit the columns."""

    def __init__(self, box: Box, expressions: Mapping[str, str]) -> None:
        from dativo_provider.transform.sql import RowTransforms

        self._fields = columns_of(box)
        names = {item.name for item in self._fields}
        self._raw = _RAW not in names
        self._made = {name: f"__dativo_{at}" for at, name in enumerate(expressions)}
        wanted = [TransformSpec(name, self._made[name], text) for name, text in expressions.items()]
        seen = [*self._fields, *([Field(_RAW)] if self._raw else [])]
        self._transforms = _compiled(lambda: RowTransforms(wanted, seen), expressions)

    def evaluate(self, lot: Sequence[Entry]) -> tuple[dict[str, list[Any]], dict[str, list[bool]]]:
        """By expression its values, as text that the cast of a run understands, and the rows on which it failed."""
        applied, none = self._transforms.apply(self._batch(lot)), [False] * len(lot)
        values = {n: [text_of(value) for value in _values(applied.data.column(c))] for n, c in self._made.items()}
        failures = applied.failures
        return values, {n: failures[c].to_pylist() if c in failures else none for n, c in self._made.items()}

    def _batch(self, lot: Sequence[Entry]) -> pa.RecordBatch:
        import pyarrow as pa

        from dativo_provider.transform.cast import convert

        columns, names = [], []
        for item in self._fields:
            texts = [text_of((entry.original or {}).get(item.name)) for entry in lot]
            columns.append(convert(pa.array(texts, pa.string()), item.type, item.timezone)[0])
            names.append(item.name)
        if self._raw:
            columns.append(pa.array([entry.raw for entry in lot], pa.string()))
            names.append(_RAW)
        return pa.RecordBatch.from_arrays(columns, names=names)


def _compiled(make: Any, expressions: Mapping[str, str]) -> Any:
    try:
        return make()
    except ConfigurationError as problem:
        raise ConfigurationError(
            problem.message.replace("transformation ", "", 1),
            where=" ".join(f"{name}: {text}" for name, text in expressions.items()),
            remedy=problem.remedy or "expressions see the row's columns, and raw->>'column' as the source had it",
        ) from problem


def _values(column: pa.Array) -> list[Any]:
    """As JSON has them, so that nothing is rounded."""
    import pyarrow as pa

    from dativo_provider.quality.raw import columns_as_json

    batch = pa.RecordBatch.from_arrays([column], names=["v"])
    [values] = columns_as_json(batch, pa.repeat(pa.scalar(True), len(column)))
    return values
