"""Time that passes only where somebody waits for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event, Lock

__all__ = ["Clock"]


class Clock(Event):
    """The `cancelled` event of a run, so that its waits take no time but move the clock.

    It ticks for readers (`monotonic`), for the run (`now`) and for the vendor's limits alike.
    """

    def __init__(self, start: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)) -> None:
        super().__init__()
        self._start, self._seconds, self._lock = start, 1_000.0, Lock()

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set():
            self.sleep(timeout or 0.0)
        return self.is_set()

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self._seconds += seconds

    def monotonic(self) -> float:
        with self._lock:
            return self._seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic() - 1_000.0)

    def forward(self, **units: float) -> None:
        """`forward(hours=1)`."""
        self.sleep(timedelta(**units).total_seconds())
