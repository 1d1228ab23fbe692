"""A limit of so many requests in some seconds, divided among the processes that ask at the same time.

What each may use stands in a ledger: a list of shares, a new file for each version of it. A file is created once, so
who writes a version has seen all before it, and the shares never add up to more than the limit. A share is good for
half a minute; who goes on asking looks every few seconds who else is there, and writes its share again when another one
is fair, or the old one is soon over. So a lone process has almost all of the limit, and what one has left, or died
with, others take.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from uuid import uuid4

from dativo_provider.errors import StorageUnavailable
from dativo_provider.files import FileMissing, FileStore, join
from dativo_provider.model.settings import Settings
from dativo_provider.store.leases import shared_place

__all__ = ["Shares", "fair", "shares_of"]

_LIFE = 30.0  # seconds that a share is good
_SKEW = 15.0  # seconds that clocks may differ
_TRIES = 50  # versions, when others are faster each time
_KEPT = 8  # versions, for those who are reading an older one
_EASE = 1e-9  # of rounding


@dataclass(frozen=True)
class _Holding:
    part: float  # of the limit
    until: float  # by the clock of who holds it


class Shares:
    """`requests` is what the limit allows in its time. Methods raise what files raise."""

    def __init__(
        self, files: FileStore, folder: str, requests: float, now: Callable[[], float] = time.time,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._files, self._folder, self._requests = files, folder, requests
        self._now, self._wait = now, wait
        self._me = uuid4().hex
        self.held = 0.0  # requests

    def take(self) -> float:
        """The requests that are ours from now on; 0 while all are others'."""
        for attempt in range(_TRIES):
            version, known = self._latest()
            others = {name: each.part * self._requests for name, each in known.items() if name != self._me}
            mine = fair(self._requests, others.values(), self._me not in known)
            if mine == self.held and self._is_young(known.get(self._me)):
                return mine
            self.held = min(self.held, mine)  # first: once it is written, others take the rest
            holding = _Holding(mine / self._requests, self._now() + _LIFE)
            if self._written(version + 1, {**known, self._me: holding}):
                self.held = mine
                return mine
            self._wait(random.uniform(0, 0.02 * min(attempt + 1, 10)))
        raise StorageUnavailable("the ledger of a limit changes too fast to be written", where=self._folder)

    def _is_young(self, holding: _Holding | None) -> bool:
        return holding is not None and holding.until > self._now() + _LIFE * 2 / 3

    def leave(self) -> None:
        """Ours are others' now."""
        self.held = 0.0
        for _ in range(_TRIES):
            version, known = self._latest()
            if self._me not in known:
                return
            if self._written(version + 1, {name: each for name, each in known.items() if name != self._me}):
                return

    def _latest(self) -> tuple[int, Mapping[str, _Holding]]:
        """The last version, without those whose time is over."""
        for _ in range(_TRIES):
            versions = self._versions()
            try:
                said = json.loads(self._files.read(self._uri(versions[-1]))) if versions else {}
            except FileMissing:  # it was read so late that it is gone
                continue
            held = {name: _Holding(*each) for name, each in said.items()}
            now = self._now()
            return versions[-1] if versions else 0, {n: each for n, each in held.items() if each.until + _SKEW > now}
        raise StorageUnavailable("the ledger of a limit changes too fast to be read", where=self._folder)

    def _written(self, version: int, known: Mapping[str, _Holding]) -> bool:
        """Only the last version counts: one that was deleted long ago can be created again."""
        text = json.dumps({name: [each.part, each.until] for name, each in known.items()})
        if not self._files.write_new(self._uri(version), text.encode()):
            return False
        versions = self._versions()
        for each in versions[:-_KEPT]:
            self._files.delete(self._uri(each))
        return versions[-1] == version

    def _versions(self) -> list[int]:
        names = (file.uri.rpartition("/")[2] for file in self._files.list(self._folder))
        return sorted(int(name) for name in names if name.isdigit())

    def _uri(self, version: int) -> str:
        return join(self._folder, f"{version:012d}")


def fair(total: float, others: Collection[float], new: bool) -> float:
    """What one may have beside `others`. Whole requests, where there is one for each: a fraction would be rounded up
    by who counts them. Something stays free for who comes next; who is `new` leaves half of it."""
    free = total - sum(others) + _EASE
    each = total / (len(others) + 1)
    if each < 1:
        return max(0.0, min(each, free - _EASE))
    spare = max(1, int(total / 50)) if total >= 20 else 0
    whole, left = divmod(int(total) - spare, len(others) + 1)
    whole, free = max(whole, 1), int(free)
    if new and others:
        return float(min(whole, max(1, free // 2), free))
    lacking = sum(max(0.0, whole - other) for other in others)
    return float(min(free, whole + (1 if left and free - spare - whole - lacking >= 1 else 0)))


def shares_of(settings: Settings, name: str, requests: float) -> Shares | None:
    """Those of the limit called `name`, in a place that all machines reach; None where there is none."""
    place = shared_place(settings, f"limits/{name}")
    return Shares(*place, requests) if place else None
