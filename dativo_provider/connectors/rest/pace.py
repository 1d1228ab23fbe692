"""How fast requests may go: below the vendor's limit, and slower for a while after it said no.

A limit of N requests per T seconds is kept in every window of T seconds, whatever its start: a short burst of B is
let through, then requests leave every T/(N-B+1) seconds (the generic cell rate algorithm, ITU-T I.371). A refusal
halves the rate, and each answer adds a little again (additive increase, multiplicative decrease).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

__all__ = ["Pace", "Pause"]

Pause = Callable[[float], None]  # waits so many seconds, and raises `Cancelled` when the run of who asks is

_BURST = 0.05  # of the limit
_LATE = 20  # requests, from where on one that left late is made up for
_SLOWEST, _FASTER = 0.02, 0.01  # shares of the full rate


class Pace:
    """Shared by all threads that use one limit. `now` gives seconds; `share` is this task's part of the limit."""

    def __init__(self, requests: float, seconds: float, now: Callable[[], float], share: float = 1.0) -> None:
        self._now, self._lock = now, Lock()
        self._gap = self._due = self._blocked = 0.0
        self.allow(requests * share, seconds)
        self._slowed = float("-inf")  # when the rate was halved last
        self.rate = 1.0  # of the full one

    def allow(self, requests: float, seconds: float) -> None:
        """From now on so many; what was to leave at the old pace leaves at the new one."""
        burst = max(2 if requests >= _LATE else 1, int(requests * _BURST))
        gap = seconds / (requests - burst + 1 if requests >= 1 else requests)
        with self._lock:
            now = self._now()
            if self._due > now and self._gap:
                self._due = now + (self._due - now) * gap / self._gap
            self._gap, self._slack = gap, (burst - 1) * gap

    def ahead(self) -> float:
        """Seconds until the next request could leave. It books nothing."""
        with self._lock:
            now = self._now()
            return max(0.0, self._due - self._slack - now, self._blocked - now)

    def reserve(self, pause: Pause = time.sleep) -> float:
        """Seconds to wait before the next request may leave. `pause` is for paces that cannot tell them yet."""
        with self._lock:
            now = max(self._now(), self._blocked)
            at = max(self._due - self._slack, now)
            self._due = max(self._due, now) + self._gap / self.rate
            return max(0.0, at - self._now())

    def blocked(self) -> float:
        """Seconds that the API wants to be left alone from now on."""
        with self._lock:
            return max(0.0, self._blocked - self._now())

    def refused(self, wait: float | None, left: float | None = None) -> None:
        """The API asked to slow down, and nothing leaves before it said. A request that had `left` before the rate
        was halved tells nothing new: several that are under way at once are refused for one reason."""
        with self._lock:
            now = self._now()
            if left is None or left >= self._slowed:
                self.rate, self._slowed = max(self.rate / 2, _SLOWEST), now
            self._blocked = max(self._blocked, now + (wait or 0.0))

    def answered(self) -> None:
        with self._lock:
            self.rate = min(1.0, self.rate + _FASTER)
