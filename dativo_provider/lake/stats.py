"""Column statistics of a staged file, as JSON between the tasks, so that publish opens no Parquet footer."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
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
        unbounded = self._unbounded | {self._ids[path] for path in _partly_bounded(footer)}
        kept: dict[str, Any] = {name: {str(k): v for k, v in (found[name] or {}).items()} for name in _COUNTS}
        for name in _BOUNDS:
            kept[name] = {
                str(k): base64.b64encode(v).decode() for k, v in (found[name] or {}).items() if k not in unbounded
            }
        return {**kept, "record_count": found["record_count"], "split_offsets": found["split_offsets"]}


def _partly_bounded(footer: pq.FileMetaData) -> Iterator[str]:
    """Columns with a row group that has values and tells no bounds of them: those of texts over 4 KB are left out, and
    what the other groups tell is not true of the file."""
    for group in map(footer.row_group, range(footer.num_row_groups)):
        for column in map(group.column, range(footer.num_columns)):
            known = column.statistics
            if known is None or (not known.has_min_max and (known.null_count or 0) < column.num_values):
                yield column.path_in_schema


def columns_from_json(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for PyIceberg's `DataFile.from_args`."""
    found: dict[str, Any] = {name: {int(k): v for k, v in kept[name].items()} for name in _COUNTS}
    for name in _BOUNDS:
        found[name] = {int(k): base64.b64decode(v) for k, v in kept[name].items()}
    return {**found, "record_count": kept["record_count"], "split_offsets": kept["split_offsets"]}
