"""How far a run is: a moving line on a terminal, a JSON log line now and then elsewhere, nothing when quiet."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import Task, TaskID

__all__ = ["LoggedProgress", "Progress", "TerminalProgress", "amount", "open_progress"]

Clock = Callable[[], float]


def amount(size: float) -> str:
    """`1536` → `1.5 KB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"


class Progress:
    """Counts what it is told and shows nothing. Call it with rows and bytes of each batch, from any thread."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self.rows, self.bytes, self.started = 0, 0, clock()

    def __call__(self, rows: int, size: int) -> None:
        with self._lock:
            self.rows += rows
            self.bytes += size
            self.show()

    @property
    def rows_per_second(self) -> float:
        return self.rows / max(self._clock() - self.started, 0.001)

    def show(self) -> None:
        """Called after each batch."""

    def close(self) -> None:
        """Called once at the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class LoggedProgress(Progress):
    """A log line at most every `every` seconds, and the total at the end."""

    def __init__(self, log: logging.Logger, every: float = 5.0, clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self._log, self._every, self._last = log, every, clock()

    def show(self) -> None:
        if self._clock() - self._last >= self._every:
            self._last = self._clock()
            self._write("batch_extracted")

    def close(self) -> None:
        self._write("extraction_complete")

    def _write(self, event: str) -> None:
        facts = {"rows": self.rows, "bytes": self.bytes, "rows_per_second": round(self.rows_per_second)}
        self._log.info("%s rows", f"{self.rows:,}", extra={"event_type": event, "facts": facts})


class TerminalProgress(Progress):
    """`orders  120,000 rows  40,000 rows/s  12.5 MB  0:00:03`, redrawn in place."""

    def __init__(self, stream: TextIO, title: str = "", clock: Clock = time.monotonic) -> None:
        super().__init__(clock)
        self._bar, self._task = _bar(stream, title)
        self._bar.start()

    def show(self) -> None:
        facts = {"rows": f"{self.rows:,}", "rate": f"{self.rows_per_second:,.0f}", "size": amount(self.bytes)}
        self._bar.update(self._task, **facts)  # type: ignore[arg-type]

    def close(self) -> None:
        self.show()
        self._bar.stop()


def _bar(stream: TextIO, title: str) -> tuple[RichProgress, TaskID]:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn, SpinnerColumn, TimeElapsedColumn
    from rich.text import Text

    class Counts(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text("{title}  {rows} rows  {rate} rows/s  {size}".format(title=task.description, **task.fields))

    console = Console(file=stream, stderr=False)
    bar = Progress(SpinnerColumn(), Counts(), TimeElapsedColumn(), console=console, transient=True)
    return bar, bar.add_task(title, total=None, rows="0", rate="0", size="0 B")


def open_progress(
    quiet: bool = False, stream: TextIO | None = None, title: str = "", log: logging.Logger | None = None
) -> Progress:
    """What fits the place: `ctx.progress = open_progress(...)`; use it as a context manager."""
    target = stream or sys.stderr
    if quiet:
        return Progress()
    if target.isatty():
        return TerminalProgress(target, title)
    return LoggedProgress(log or logging.getLogger("dativo"))
