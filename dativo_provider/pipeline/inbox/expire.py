"""expire: what is past its time leaves the inbox, and what was discarded loses its values.

The quarantine goes first. While a line of the log lives, its row is known to be replayed or discarded; a log that went
first would open it again. For the same reason older entries of a row never outlive its newest one. Rows that a replay
had written down, and nobody has touched for a day, go as well.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import new_id
from dativo_provider.pipeline.inbox.box import Box, open_box
from dativo_provider.pipeline.inbox.parts import parts_of
from dativo_provider.pipeline.inbox.view import viewing
from dativo_provider.pipeline.state import chosen

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Expired", "expire"]

_KEYS = ("stream", "run", "row_id", "expires_at")
_FIXES = (*_KEYS, "fix")


@dataclass(frozen=True)
class Expired:
    """`rows` left the quarantine, `lines` the log of what was done about them."""

    stream: str
    rows: int = 0
    lines: int = 0


def expire(job: JobSpec, ctx: RunContext, stream: str = "", *, dry_run: bool = False) -> list[Expired]:
    """Safe to kill and to repeat, while runs go on. Older snapshots keep the bytes until maintenance expires them."""
    return [_expire(open_box(job, spec.name, ctx), dry_run=dry_run) for spec in chosen(job, stream)]


def _expire(box: Box, *, dry_run: bool) -> Expired:
    now = box.ctx.now()
    gone = _done_with(box, now)
    tables, name = box.tables, box.spec.name

    def row(batch: pa.RecordBatch) -> pa.BooleanArray:
        return _either(_past(batch, name, now), _among(batch, name, gone))

    def line(batch: pa.RecordBatch) -> pa.BooleanArray:
        import pyarrow.compute as pc

        return _either(_past(batch, name, now), pc.and_(_among(batch, name, gone), pc.is_valid(batch.column("fix"))))

    if dry_run:
        return Expired(name, tables.count(tables.quarantine, _KEYS, row), tables.count(tables.log, _FIXES, line))
    parts_of(box.job, name, new_id(now), box.ctx).remove_dead(now.timestamp())
    rows = tables.remove(tables.quarantine, new_id(now), _KEYS, row)
    return Expired(name, rows, tables.remove(tables.log, new_id(now), _FIXES, line))


_DONE_WITH = """select e.run || '/' || e.row_id as entry from entries e where e.status = 'deleted' or e.superseded
  and e.row_id in (select row_id from entries where not superseded and (status = 'deleted' or expires_at <= ?))"""


def _done_with(box: Box, now: datetime) -> pa.Array:
    """Discarded entries, and the older ones of rows whose newest entry goes."""
    import pyarrow as pa

    with viewing(box) as view:
        batches = list(view.ask(_DONE_WITH, ("run", "row_id", "quarantined_at", "expires_at"), [now]))
    return pa.chunked_array([batch.column("entry") for batch in batches], pa.string()).combine_chunks()


def _past(batch: pa.RecordBatch, stream: str, now: datetime) -> pa.BooleanArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    late = pc.less_equal(batch.column("expires_at"), pa.scalar(now, pa.timestamp("us", tz="UTC")))
    return pc.and_(pc.fill_null(late, False), pc.equal(batch.column("stream"), stream))


def _among(batch: pa.RecordBatch, stream: str, entries: Collection[str]) -> pa.BooleanArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = pc.binary_join_element_wise(
        batch.column("run").cast(pa.string()), batch.column("row_id").cast(pa.string()), "/"
    )
    return pc.and_(pc.is_in(keys, value_set=entries), pc.equal(batch.column("stream"), stream))


def _either(one: pa.BooleanArray, other: pa.BooleanArray) -> pa.BooleanArray:
    import pyarrow.compute as pc

    return pc.or_(one, other)
