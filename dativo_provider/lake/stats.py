"""Column statistics of a staged file, as JSON between the tasks, so that publish opens no Parquet footer."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow.parquet as pq
    from pyiceberg.table import Table

__all__ = ["StatisticsPlan", "columns_from_json"]

_COUNTS = ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts")
_BOUNDS = ("lower_bounds", "upper_bounds")


class StatisticsPlan:
    """What to keep of a footer. `unbounded` columns lose their bounds whatever the table's properties say."""

    def __init__(self, table: Table, unbounded: Collection[str]) -> None:
        from pyiceberg.io.pyarrow import compute_statistics_plan, parquet_path_to_id_mapping

        schema = table.schema()
        self._plan = compute_statistics_plan(schema, table.properties)
        self._ids = parquet_path_to_id_mapping(schema)
        self._unbounded = {
            schema.find_field(name).field_id for name in schema.column_names if name.partition(".")[0] in unbounded
        }

    def to_json(self, footer: pq.FileMetaData) -> dict[str, Any]:
        from pyiceberg.io.pyarrow import data_file_statistics_from_parquet_metadata

        found = data_file_statistics_from_parquet_metadata(footer, self._plan, self._ids).to_serialized_dict()
        kept: dict[str, Any] = {name: {str(k): v for k, v in (found[name] or {}).items()} for name in _COUNTS}
        for name in _BOUNDS:
            kept[name] = {
                str(k): base64.b64encode(v).decode() for k, v in (found[name] or {}).items() if k not in self._unbounded
            }
        return {**kept, "record_count": found["record_count"], "split_offsets": found["split_offsets"]}


def columns_from_json(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for PyIceberg's `DataFile.from_args`."""
    found: dict[str, Any] = {name: {int(k): v for k, v in kept[name].items()} for name in _COUNTS}
    for name in _BOUNDS:
        found[name] = {int(k): base64.b64decode(v) for k, v in kept[name].items()}
    return {**found, "record_count": kept["record_count"], "split_offsets": kept["split_offsets"]}
