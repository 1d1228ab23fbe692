"""One row for each key of a run: the newest wins, by the order column or else the one that came last, over all slices.

A delete is a version like any other. Rows that lose are `duplicates` of the books. With a history, versions of
different times do not compete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.context import RunContext
from dativo_provider.model.marks import AFTER, KEEP, OP
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Manifest, Plan, StagedFile
from dativo_provider.model.target import Target
from dativo_provider.pipeline.keyed import is_keyed, order_column
from dativo_provider.sql.names import quoted

if TYPE_CHECKING:
    import duckdb

__all__ = ["LOST", "Settled", "settle"]

LOST = "key.superseded"
_LOT = 1 << 20


@dataclass(frozen=True)
class Settled:
    """`lost` are the positions of rows and marks that an other one of the run supersedes, by file."""

    lost: Mapping[str, pa.Array] = field(default_factory=dict)

    def rows(self, target: Target, plan: Plan, files: Sequence[StagedFile]) -> Iterator[pa.RecordBatch]:
        """What is left of `files`, in order."""
        for file in files:
            batches, lost = target.read_staged(plan, [file]), self.lost.get(file.path)
            yield from batches if lost is None else _without(batches, lost)

    def count(self, files: Iterable[StagedFile]) -> int:
        return sum(len(self.lost.get(file.path, ())) for file in files)


def _without(batches: Iterator[pa.RecordBatch], lost: pa.Array) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in batches:
        numbers = pa.array(range(start, start + batch.num_rows), pa.int64())
        start += batch.num_rows
        yield batch.filter(pc.invert(pc.is_in(numbers, value_set=lost)))


def settle(plan: Plan, manifests: Sequence[Manifest], target: Target, ctx: RunContext) -> Settled:
    from dativo_provider.sql.sandbox import connect

    if not is_keyed(plan):
        return Settled()
    with TemporaryFolder("settle") as spill:
        database = connect(max(128, ctx.settings.memory_limit_mb // 2), ctx.settings.threads, spill)
        try:
            return _settled(plan, manifests, target, database)
        finally:
            database.close()


def _settled(plan: Plan, manifests: Sequence[Manifest], target: Target, database: duckdb.DuckDBPyConnection) -> Settled:
    loaded = False
    for rows in _versions(plan, manifests, target):
        database.register("given", rows)
        database.execute("insert into versions by name from given" if loaded else "create table versions as from given")
        database.unregister("given")
        loaded = True
    if not loaded:
        return Settled()
    found = database.sql(_LOSERS.format(same=_same(plan), order=_order(plan))).to_arrow_table()
    return Settled({
        path: found.filter(pc.equal(found["_dativo_path"], path))["_dativo_position"].combine_chunks()
        for path in pc.unique(found["_dativo_path"]).to_pylist()
    })  # fmt: skip


_LOSERS = """select _dativo_path, _dativo_position from versions
qualify row_number() over (
    partition by {same}
    order by {order} _dativo_slice desc, _dativo_after desc, _dativo_data desc, _dativo_position desc
) > 1
order by all"""


def _same(plan: Plan) -> str:
    history = TRAITS[plan.job.target.mode].history and plan.job.target.order_by
    return ", ".join(quoted(name) for name in (*plan.spec.identity, *([history] if history else [])))


def _order(plan: Plan) -> str:
    column = order_column(plan)
    return f"{quoted(column)} desc nulls last, " if column else ""


def _versions(plan: Plan, manifests: Sequence[Manifest], target: Target) -> Iterator[pa.Table]:
    """Keys and orders of all rows and deletes, each with its place and the order of its coming."""
    order = order_column(plan)
    columns = list(dict.fromkeys([*plan.spec.identity, *([order] if order else [])]))
    for manifest in manifests:
        before = 0
        for file in manifest.files:
            for start, rows in _lots(target.read_staged(plan, [file], columns)):
                after = pa.array(range(before, before + rows.num_rows), pa.int64())
                yield _placed(rows.select(columns), manifest.slice, file.path, start, after, data=True)
                before += rows.num_rows
        for file in manifest.marks:
            for start, rows in _lots(target.read_staged(plan, [file])):
                placed = _placed(rows.select(columns), manifest.slice, file.path, start, rows[AFTER], data=False)
                yield placed.filter(pc.not_equal(rows[OP], KEEP))


def _lots(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, pa.Table]]:
    start, lot = 0, []
    for batch in batches:
        lot.append(batch)
        if (rows := sum(each.num_rows for each in lot)) >= _LOT:
            yield start, pa.Table.from_batches(lot)
            start, lot = start + rows, []
    if lot:
        yield start, pa.Table.from_batches(lot)


def _placed(rows: pa.Table, piece: int, path: str, start: int, after: pa.Array, *, data: bool) -> pa.Table:
    count = rows.num_rows
    extra = {
        "_dativo_slice": pa.repeat(pa.scalar(piece, pa.int64()), count),
        "_dativo_path": pa.repeat(pa.scalar(path), count),
        "_dativo_position": pa.array(range(start, start + count), pa.int64()),
        "_dativo_after": after,
        "_dativo_data": pa.repeat(pa.scalar(data), count),
    }
    for name, column in extra.items():
        rows = rows.append_column(name, column)
    return rows
