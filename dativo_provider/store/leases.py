"""A quota of so many requests in a day, leased in blocks, so that tasks share it without asking before each request.

The quota is cut into slots of about a hundredth. To hold one is to have created its file, which a store of files lets
only one do. Who holds it may use it for a quarter of an hour; what is left is given back for others. A slot is free
again when nobody has touched it for the quota's whole span, so that no span of that length ever holds more than the
quota, whatever the vendor's day and its time zone. What a process that died had left is lost until then.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dativo_provider.files import FileMissing, FileStore, file_uri, join, open_files
from dativo_provider.model.settings import Settings

__all__ = ["Block", "Leases", "leases_of", "shared_place"]

_SLOTS = 100
_LIFE = 900.0  # seconds in which a block may be used
_SKEW = 60.0  # seconds that clocks may differ
_TRIES = 5  # listings, when others are faster each time
_NAME = re.compile(r"(\d{3})\.(\d{6})\.(\d{3,})(\.left)?")


@dataclass(frozen=True)
class Block:
    """`requests` that may be made until `until`, by the clock of who took it."""

    slot: int
    turn: int
    part: int
    requests: int
    until: float

    @property
    def name(self) -> str:
        return f"{self.slot:03d}.{self.turn:06d}.{self.part:03d}"


@dataclass
class _Slot:
    """What the files tell: its latest turn, the last part of that taken, and whether some of it was given back."""

    turn: int = -1
    part: int = -1
    left: str = ""
    touched: float = 0.0

    def see(self, turn: int, part: int, left: str, at: float) -> None:
        self.touched = max(self.touched, at)
        if (turn, part) > (self.turn, self.part):
            self.turn, self.part, self.left = turn, part, ""
        if left and (turn, part) == (self.turn, self.part):
            self.left = left


class Leases:
    """`requests` in any `seconds`, for all processes that open the same `folder`. Methods raise what files raise."""

    def __init__(
        self, files: FileStore, folder: str, requests: int, seconds: float, now: Callable[[], float] = time.time
    ) -> None:
        self._files, self._folder, self._now = files, folder, now
        self._span, self._slots = seconds + _LIFE + _SKEW, min(_SLOTS, requests)
        self._size, self._more = divmod(requests, self._slots)

    def take(self) -> Block | None:
        """A block that nobody else has; None when all are used."""
        for _ in range(_TRIES):
            until, found = self._now() + _LIFE, list(self._free())
            if not found:
                return None
            random.shuffle(found)
            found.sort(key=lambda each: each[2] == 0)  # opened ones first: all would rest a day from their last use
            for slot, turn, part, requests in found:
                block = Block(slot, turn, part, requests, until)
                if self._files.write_new(join(self._folder, block.name), str(requests).encode()):
                    self._forget(slot, turn)
                    return block
        return None

    def give_back(self, block: Block, left: int) -> None:
        """`left` requests of it were not made."""
        if left > 0:
            self._files.write_new(join(self._folder, f"{block.name}.left"), str(left).encode())

    def wait(self) -> float:
        """Seconds until a slot is free again."""
        waits = [slot.touched + self._span - self._now() for slot in self._seen().values()]
        return max(0.0, min(waits, default=0.0))

    def _free(self) -> Iterator[tuple[int, int, int, int]]:
        """Slot, turn and part that may be taken, and how many requests that would be."""
        seen = self._seen()
        for number in range(self._slots):
            slot = seen.get(number, _Slot())
            if slot.turn < 0 or slot.touched + self._span <= self._now():
                yield number, slot.turn + 1, 0, self._size + (number < self._more)
            elif slot.left and (left := self._left(slot.left)):
                yield number, slot.turn, slot.part + 1, left

    def _seen(self) -> dict[int, _Slot]:
        found: dict[int, _Slot] = {}
        for file in self._files.list(self._folder):
            if match := _NAME.fullmatch(file.uri.rpartition("/")[2]):
                slot, turn, part = (int(match[each]) for each in (1, 2, 3))
                found.setdefault(slot, _Slot()).see(turn, part, file.uri if match[4] else "", file.mtime)
        return found

    def _left(self, uri: str) -> int:
        try:
            return int(self._files.read(uri))
        except (FileMissing, ValueError):
            return 0

    def _forget(self, slot: int, turn: int) -> None:
        """Files of turns before this one."""
        for file in self._files.list(self._folder) if turn else ():
            match = _NAME.fullmatch(file.uri.rpartition("/")[2])
            if match and int(match[1]) == slot and int(match[2]) < turn:
                self._files.delete(file.uri)


def leases_of(settings: Settings, name: str, requests: int, seconds: float) -> Leases | None:
    """Those called `name`; None where there is no place for them."""
    place = shared_place(settings, f"quotas/{name}")
    return Leases(*place, requests, seconds) if place else None


def shared_place(settings: Settings, name: str) -> tuple[FileStore, str] | None:
    """Files of that name in the warehouse that all machines reach, else at home; None where neither is."""
    warehouse = settings.catalog.warehouse
    remote = "://" in warehouse and not warehouse.startswith("file:")
    if not remote and not settings.home:
        return None
    root = warehouse if remote else file_uri(Path(settings.home).expanduser().absolute())
    return open_files(root, settings.catalog.properties), join(root, f"_dativo/{name}" if remote else name)
