"""A limit of a day or longer: spent as fast as the job likes, from blocks that all tasks of a tenant share (ERR-05)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from logging import Logger
from threading import Lock

from dativo_provider.connectors.rest.pace import Pace, Pause
from dativo_provider.errors import DativoError, RateLimited
from dativo_provider.store.leases import Block, Leases

__all__ = ["DAY", "Quota"]

DAY = 86_400


class Quota(Pace):
    """Without a block of its own no request leaves. While the place of the leases does not answer, requests keep to
    the even pace of the limit, which is never over it."""

    def __init__(
        self, leases: Leases, requests: int, seconds: float, log: Logger, share: float = 1.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        super().__init__(requests, seconds, now, share)
        self._leases, self._requests, self._seconds, self._log = leases, requests, seconds, log
        self._turn, self._left, self._away = Lock(), 0, False
        self._block: Block | None = None

    def reserve(self, pause: Pause = time.sleep) -> float:
        """Raises `RateLimited` when the quota is used up, with the seconds until some of it is free again."""
        with self._turn:
            try:
                self._spend()
            except RateLimited:
                raise
            except DativoError as problem:
                self._tell(problem)
                return super().reserve(pause)
        return self.blocked()

    def close(self) -> None:
        """What was not used is for others."""
        with self._turn, contextlib.suppress(DativoError):
            self._give_back()

    def _spend(self) -> None:
        if self._block is None or not self._left or time.time() > self._block.until:
            self._give_back()
            self._block = self._leases.take()
            self._left = self._block.requests if self._block else 0
        if self._block is None:
            wait = self._leases.wait()
            raise RateLimited(
                f"the quota of {self._requests:,} requests in {self._seconds / DAY:g} days is used up; "
                f"some of it is free again in {wait / 3600:.1f} hours",
                remedy="run again then: what was published stays, and a spec with `resumes` goes on from there",
                retry_after=wait,
            )
        self._left -= 1

    def _give_back(self) -> None:
        block, left, self._block, self._left = self._block, self._left, None, 0
        if block is not None:
            self._leases.give_back(block, left)

    def _tell(self, problem: DativoError) -> None:
        if not self._away:
            self._log.warning("the shared count of requests is away, so they leave at an even pace: %s", problem)
        self._away = True
