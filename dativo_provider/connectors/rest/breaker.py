"""Stops asking an API that does not answer (ERR-03)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from dativo_provider.errors import SourceUnavailable

__all__ = ["Breaker"]

_OTHERS_WAIT = 5.0  # seconds, while a few requests try whether the API is back


class Breaker:
    """Opens after `failures` in a row for `seconds`. Then `successes` requests at a time try: as many answers close
    it, a failure opens it again."""

    def __init__(self, now: Callable[[], float], failures: int = 5, seconds: float = 60.0, successes: int = 2) -> None:
        self._now, self._most, self._seconds, self._wanted = now, failures, seconds, successes
        self._lock = Lock()
        self._failed = self._good = self._trying = 0
        self._until: float | None = None  # open until then; None: closed

    @contextmanager
    def asking(self, where: str) -> Iterator[None]:
        """Around one request. A `SourceUnavailable` inside is a failure, any other outcome of the API an answer.
        Raises `SourceUnavailable` while it is open."""
        self._admit(where)
        try:
            yield
        except SourceUnavailable:
            self._tell(self._failure)
            raise
        except Exception:
            self._tell(self._answer)
            raise
        except BaseException:  # interrupted: nothing is known of the API
            self._tell(lambda: None)
            raise
        self._tell(self._answer)

    def _admit(self, where: str) -> None:
        with self._lock:
            if self._until is None:
                return
            left = self._until - self._now()
            if left <= 0 and self._trying < self._wanted:
                self._trying += 1
                return
            left = max(left, min(_OTHERS_WAIT, self._seconds))
        raise SourceUnavailable(
            f"{self._most} requests in a row failed, so the API is left alone for {left:.0f} s",
            where=where,
            remedy="look at the vendor's status page; the run goes on by itself when the API answers again",
            retry_after=left,
        )

    def _tell(self, outcome: Callable[[], None]) -> None:
        with self._lock:
            self._trying = max(0, self._trying - 1)
            outcome()

    def _failure(self) -> None:
        self._good = 0
        self._failed += 1
        if self._until is not None or self._failed >= self._most:
            self._until = self._now() + self._seconds

    def _answer(self) -> None:
        self._failed = 0
        if self._until is None:
            return
        self._good += 1
        if self._good >= self._wanted:
            self._until, self._good = None, 0
