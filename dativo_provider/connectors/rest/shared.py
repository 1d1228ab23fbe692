"""A limit shorter than a day, divided among the tasks of a tenant that ask one account at the same time (ERR-05)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from logging import Logger
from threading import Lock

from dativo_provider.connectors.rest.pace import Pace, Pause
from dativo_provider.errors import DativoError
from dativo_provider.store.shares import Shares

__all__ = ["Shared"]

_AGAIN = 2.0  # seconds until the share is looked at again
_NONE_LEFT = 0.5  # the same, while others have all of it


class Shared(Pace):
    """Slows down as tasks come, and speeds up as they go. It outlives who made it, so who asks says how to wait.

    While the ledger cannot be reached, requests keep to the share they had, or to `alone` of the limit.
    """

    def __init__(
        self, shares: Shares, requests: float, seconds: float, alone: float, log: Logger,
        now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(requests * alone, seconds, now)
        self._alone = requests * alone
        self._shares, self._seconds, self._log = shares, seconds, log
        self._turn, self._away = Lock(), False
        self._next = float("-inf")

    def reserve(self, pause: Pause = time.sleep) -> float:
        """Nothing is booked long before: a share may grow meanwhile."""
        with self._turn:
            while self._now() >= self._next or self.ahead() > _AGAIN:
                pause(min(self.ahead(), _AGAIN))
                self._look(pause)
            return super().reserve(pause)

    def close(self) -> None:
        """What was ours is for others."""
        with self._turn, contextlib.suppress(DativoError):
            self._shares.leave()

    def _look(self, pause: Pause) -> None:
        try:
            mine = self._shares.take()
        except DativoError as problem:
            self._tell(problem)
            mine = self._shares.held or self._alone
        if mine:
            self.allow(mine, self._seconds)
            self._next = self._now() + _AGAIN
        else:
            pause(_NONE_LEFT)

    def _tell(self, problem: DativoError) -> None:
        if not self._away:
            self._log.warning("the tasks that share a limit cannot be counted, so this one keeps its part: %s", problem)
        self._away = True
