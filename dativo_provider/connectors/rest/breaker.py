"""Stops asking an API that does not answer (ERR-03)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from dativo_provider.errors import SourceUnavailable

__all__ = ["Breaker"]


class Breaker:
    """Opens after `failures` in a row for `seconds`. Then requests try: `successes` close it, a failure opens it."""

    def __init__(self, now: Callable[[], float], failures: int = 5, seconds: float = 60.0, successes: int = 2) -> None:
        self._now, self._most, self._seconds, self._wanted = now, failures, seconds, successes
        self._lock = Lock()
        self._failed = self._good = 0
        self._until: float | None = None  # open until then; None: closed

    def admit(self, where: str) -> None:
        """Raises `SourceUnavailable` while it is open."""
        with self._lock:
            left = (self._until or 0.0) - self._now()
            if self._until is None or left <= 0:
                return
        raise SourceUnavailable(
            f"{self._most} requests in a row failed, so the API is left alone for {left:.0f} s",
            where=where,
            remedy="look at the vendor's status page; the run goes on by itself when the API answers again",
            retry_after=left,
        )

    def failed(self) -> None:
        with self._lock:
            self._good = 0
            self._failed += 1
            if self._until is not None or self._failed >= self._most:
                self._until = self._now() + self._seconds

    def answered(self) -> None:
        with self._lock:
            self._failed = 0
            if self._until is None:
                return
            self._good += 1
            if self._good >= self._wanted:
                self._until, self._good = None, 0
