"""A table that people see as a sheet: published as any Iceberg table, then shown in a Google spreadsheet.

The table is what counts: state, quarantine, versions and modes are its own. The sheet shows the table as the last run
left it, all of it at once; a run that dies in between is finished by its retry, or by the next run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dativo_provider.connectors.google.sheets.writer import SheetWriter, Shown
from dativo_provider.errors import ConfigurationError
from dativo_provider.lake import read
from dativo_provider.lake.iceberg import IcebergTarget
from dativo_provider.model.job import JobSpec, SourceSpec, StreamSpec
from dativo_provider.model.run import Manifest, Plan, Published
from dativo_provider.model.stream import Cursor, Field
from dativo_provider.model.target import TargetTable

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

__all__ = ["SheetTarget"]

_SCOPE = "https://www.googleapis.com/auth/spreadsheets"
_SHOWN = ("committed", "already")


class SheetTarget(IcebergTarget):
    """`connection` says `spreadsheet_id` and, of a job with one stream, `sheet`; default: the table's name."""

    def prepare(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> TargetTable:
        self._writer(stream).prepare()
        return super().prepare(job, stream, fields)

    def publish(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        return self._shown(plan, super().publish(plan, manifests, cursor))

    def approve(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        return self._shown(plan, super().approve(plan, manifests, cursor))

    def _shown(self, plan: Plan, published: Published) -> Published:
        if published.outcome in _SHOWN:
            self._writer(plan.spec).show(partial(self._latest, plan))
        return published

    def _latest(self, plan: Plan) -> Shown:
        """The table as it is now, which may be later than what this run left."""
        table = self.table(plan.table)
        version = _version(table)

        def batches() -> Iterator[pa.RecordBatch]:
            rows = read.scan(table, columns=[field.name for field in plan.fields], snapshot_id=version)
            yield from read.typed(rows, plan.fields)

        return Shown(str(version or 0), plan.fields, read.row_count(table), batches)

    def _writer(self, stream: StreamSpec) -> SheetWriter:
        given = dict(self._job.target.connection)
        spreadsheet, sheet = str(given.get("spreadsheet_id") or ""), str(given.pop("sheet", "") or "")
        if not spreadsheet or (sheet and len(self._job.streams) > 1):
            raise ConfigurationError(
                "several streams cannot share one sheet" if spreadsheet else "no spreadsheet is named",
                where=self._job.path or self._job.dag_id,
                remedy="leave `sheet` out: each table is a sheet" if spreadsheet else "add connection.spreadsheet_id",
            )
        source = SourceSpec("google_sheets", {"scope": _SCOPE, **given}, roots=self._job.source.roots)
        return SheetWriter(source, self._ctx).aimed(spreadsheet, sheet or stream.table)


def _version(table: Table) -> int | None:
    """The snapshot that last changed a row: empty runs commit too."""
    found = table.current_snapshot()
    while found is not None and found.parent_snapshot_id is not None:
        said = found.summary.additional_properties if found.summary else {}
        if any(int(said.get(name) or 0) for name in ("added-records", "deleted-records")):
            break
        found = table.snapshot_by_id(found.parent_snapshot_id)
    return None if found is None else found.snapshot_id
