"""What a run covers: `lo` from the committed cursor, `hi` where rows are settled, both fixed once.

`hi` is never above the newest row plus the smallest step: rows that carry times of their own, long past, may come
later without being skipped. Rows whose cursor has no place among the others belong to full loads and to the first
increment; later increments cannot see them and say so in the window's notes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from dativo_provider.connectors.database.cursors import CursorColumn
from dativo_provider.errors import ConfigurationError, SourceUnavailable
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Window, WindowRequest

__all__ = ["COUNTED", "Found", "Planner", "Settled", "bounds"]

COUNTED = 10_000  # rows without a place that are counted exactly


@dataclass(frozen=True)
class Settled:
    """Rows below `hi` are settled; None: nothing can be said, so nothing may be read now."""

    hi: str | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a look at the cursor column saw: the newest value inside, rows without a place, values beyond."""

    newest: str | None
    unplaced: int
    ahead: str | None


@dataclass
class Planner(ABC):
    """A dialect says what is settled and what the cursor column holds."""

    cursor: CursorColumn
    stream: StreamSpec
    timezone: str  # in which a bound without zone is written

    @abstractmethod
    def found(self, lo: str | None, hi: str | None) -> Found:
        """What stands in `lo <= cursor < hi`, and around it."""

    @abstractmethod
    def settled_moment(self) -> Settled: ...

    @abstractmethod
    def writers_done(self) -> tuple[str, ...]:
        """Waits until those have ended who now write to the table. Empty, or who is still writing."""

    def number_notes(self) -> tuple[str, ...]:
        """What makes numbers come out of order although nobody writes."""
        return ()

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
            raise self._still_written(settled.notes)
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
        zone = self.timezone
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
        if self.cursor.is_moment:
            settled = self.settled_moment()
            return self.found(lo, end or settled.hi), settled
        found = self.found(lo, end)
        left = self.writers_done() if found.newest is not None else ()
        hi = self.cursor.after(found.newest) if found.newest is not None else ""
        return found, Settled(None if left else hi, (*left, *self.number_notes()))

    def _notes(self, found: Found, settled: Settled, lo: str | None) -> tuple[str, ...]:
        notes = list(settled.notes)
        if found.unplaced and lo is not None:
            count = f"more than {COUNTED}" if found.unplaced > COUNTED else str(found.unplaced)
            notes.append(
                f"{count} rows of {self.cursor.relation.label} have no (or {self.cursor.strange}) {self.cursor.name}: "
                "only a full load reads them"
            )
        if found.ahead is not None:
            notes.append(f"rows of {self.cursor.name} from {settled.hi} up to {found.ahead} wait for a later run")
        return tuple(notes)

    def _still_written(self, notes: tuple[str, ...]) -> SourceUnavailable:
        """For a full load, which cannot wait for a later run."""
        label = self.cursor.relation.label
        return SourceUnavailable(
            f"{label} cannot be read to a fixed point now: {'; '.join(notes)}",
            where=label,
            remedy="repeat the run when that transaction has ended",
        )

    def _no_order(self, found: Found) -> ConfigurationError:
        return ConfigurationError(
            f"all rows of {self.cursor.relation.label} have an empty or {self.cursor.strange} {self.cursor.name}",
            where=self.cursor.relation.label,
            remedy="fill the column, take another cursor_field, or load the table in full",
        )


def bounds(window: Window) -> dict[str, object]:
    """The window as a slice carries it."""
    kept = {"column": window.column, "lo": window.lo, "hi": window.hi}
    return {**kept, "unplaced": bool(window.detail.get("unplaced"))} if window.column else {}
