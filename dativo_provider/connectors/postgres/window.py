"""What a run covers: `lo` from the committed cursor, `hi` where rows are settled, both fixed once.

`hi` is never above the newest row plus the smallest step: rows that carry times of their own, long past, may come
later without being skipped. Rows whose cursor is NULL or infinite belong to full loads and to the first increment;
later increments cannot see them and say so in the window's notes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dativo_provider.connectors.postgres.cursors import CursorColumn
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.settle import Settled, settled_moment, still_written, writers_done
from dativo_provider.connectors.postgres.sql import expression
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Window, WindowRequest

__all__ = ["Planner", "bounds"]

_COUNTED = 10_000  # rows without a place that are counted exactly
_INDEXED = """
select exists (select 1 from pg_catalog.pg_index i join pg_catalog.pg_attribute a
               on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
               where i.indrelid = %s::oid and a.attname = %s and i.indisvalid and i.indpred is null)
"""
_BLOCKS = """
select s.seqcache from pg_catalog.pg_sequence s where s.seqrelid = pg_get_serial_sequence(%s, %s)::regclass
"""


@dataclass(frozen=True)
class Found:
    """What a look at the cursor column saw: the newest value inside, rows without a place, values beyond."""

    newest: str | None
    unplaced: int
    ahead: str | None


@dataclass
class Planner:
    session: Session
    cursor: CursorColumn
    stream: StreamSpec
    options: Options
    ctx: RunContext

    def window(self, request: WindowRequest) -> Window:
        if request.start or request.end:
            return self._range(request)
        since = None if request.full or request.since is None else self.cursor.committed(request.since)
        back = self.stream.incremental.lookback_seconds
        lo = None if since is None else self.cursor.before(since, back)
        if lo is None and back and not self.cursor.is_moment:
            self.cursor.before("0", back)  # refuses now, not in the second run
        found, settled = self._look(lo)
        window = self._bounded(request, lo, since, found, settled)
        return replace(window, overlap=since is not None and lo != since, notes=self._notes(found, settled, lo))

    def _bounded(
        self, request: WindowRequest, lo: str | None, since: str | None, found: Found, settled: Settled
    ) -> Window:
        name, type_ = self.cursor.name, self.cursor.type
        if request.full and settled.hi is None:
            raise still_written(self.cursor, settled.notes)
        newest = None if settled.hi is None else found.newest
        if newest is None and not request.full:
            if found.unplaced and since is None and settled.hi is not None and found.ahead is None:
                raise self._no_order(found)
            return Window("empty", name, type_, lo, lo, request.since)
        hi = self.cursor.greatest(self.cursor.after(newest), since) if newest is not None else None
        return Window(
            "full" if request.full else "incremental",
            name,
            type_,
            lo,
            hi,
            None if hi is None else self.cursor.position(hi),
            detail={"unplaced": lo is None},
        )

    def _range(self, request: WindowRequest) -> Window:
        """The half-open range of a backfill, as asked for. It moves no cursor."""
        zone = self.options.timezone
        lo = self.cursor.given(request.start, zone) if request.start else None
        end = self.cursor.given(request.end, zone) if request.end else None
        found, settled = self._look(lo, end)
        hi = end or (self.cursor.after(found.newest) if found.newest else None)
        notes = self._late(end, settled)
        if found.newest is None or hi is None:
            return Window("empty", self.cursor.name, self.cursor.type, lo, end, notes=notes)
        return Window("range", self.cursor.name, self.cursor.type, lo, hi, detail={"unplaced": False}, notes=notes)

    def _late(self, end: str | None, settled: Settled) -> tuple[str, ...]:
        if settled.hi is None:
            return settled.notes
        if self.cursor.is_moment and end and self.cursor.least(settled.hi, end) != end:
            return (f"rows at or after {settled.hi} may still arrive in this range",)
        return ()

    def _look(self, lo: str | None, end: str | None = None) -> tuple[Found, Settled]:
        """Moments: first where rows are settled, then the newest below. Numbers: the newest, then who still writes."""
        lag = self.stream.incremental.lag_seconds
        if self.cursor.is_moment:
            settled = settled_moment(self.session, self.cursor, self.options, lag, self.ctx)
            return self._found(lo, end or settled.hi), settled
        found = self._found(lo, end)
        left = writers_done(self.session, self.cursor, lag, self.ctx) if found.newest is not None else ()
        hi = self.cursor.after(found.newest) if found.newest is not None else ""
        return found, Settled(None if left else hi, (*left, *self._number_notes()))

    def _found(self, lo: str | None, hi: str | None) -> Found:
        with self.session.transaction():
            newest, unplaced, ahead = self.session.rows(self._probe(lo, hi))[0]
        shown = None if newest is None else self.cursor.canonical(newest)
        return Found(shown, unplaced, ahead)

    def _probe(self, lo: str | None, hi: str | None) -> str:
        name, source = self.cursor.quoted, self.cursor.relation.source
        where = expression(self.stream.where) if self.stream.where else "true"
        inside = self.cursor.condition(lo, hi, unplaced=False)
        beyond = f"{name} >= {self.cursor.sql(hi)} and not {self.cursor.unplaced}" if hi is not None else "false"
        if self._indexed():
            return (
                f"select (select max({name})::text from {source} where {where} and {inside}), "
                f"(select count(*) from (select 1 from {source} where {where} and {self.cursor.unplaced} "
                f"limit {_COUNTED + 1}) as u), "
                f"(select max({name})::text from {source} where {where} and {beyond})"
            )
        return (
            f"select max({name}) filter (where {inside})::text, count(*) filter (where {self.cursor.unplaced}), "
            f"max({name}) filter (where {beyond})::text from {source} where {where}"
        )

    def _indexed(self) -> bool:
        oid = self.cursor.relation.oid
        return bool(oid) and bool(self.session.rows(_INDEXED, (oid, self.cursor.name))[0][0])

    def _notes(self, found: Found, settled: Settled, lo: str | None) -> tuple[str, ...]:
        notes = list(settled.notes)
        if found.unplaced and lo is not None:
            count = f"more than {_COUNTED}" if found.unplaced > _COUNTED else str(found.unplaced)
            notes.append(
                f"{count} rows of {self.cursor.relation.label} have no (or an infinite) {self.cursor.name}: "
                "only a full load reads them"
            )
        if found.ahead is not None:
            notes.append(f"rows of {self.cursor.name} from {settled.hi} up to {found.ahead} wait for a later run")
        return tuple(notes)

    def _number_notes(self) -> tuple[str, ...]:
        """What makes numbers come out of order although nobody has rows in the table yet."""
        relation = self.cursor.relation
        if relation.kind == "f":
            return (f"{relation.label} is on another server: rows committed late there may be missed",)
        if relation.kind not in ("r", "p"):
            return ()
        with self.session.transaction():
            found = self.session.rows(_BLOCKS, (relation.source, self.cursor.name))
        blocks = found[0][0] if found else 1
        if blocks <= 1:
            return ()
        return (
            f"the sequence of {self.cursor.name} hands out {blocks} numbers at a time to each session: "
            "a session may insert smaller ones later, which are then missed (alter sequence … cache 1)",
        )

    def _no_order(self, found: Found) -> ConfigurationError:
        return ConfigurationError(
            f"all rows of {self.cursor.relation.label} have an empty or infinite {self.cursor.name}",
            where=self.cursor.relation.label,
            remedy="fill the column, take another cursor_field, or load the table in full",
        )


def bounds(window: Window) -> dict[str, object]:
    """The window as a slice carries it."""
    kept = {"column": window.column, "lo": window.lo, "hi": window.hi}
    return {**kept, "unplaced": bool(window.detail.get("unplaced"))} if window.column else {}
