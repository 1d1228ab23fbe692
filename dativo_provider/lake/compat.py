"""Repairs of PyIceberg 0.11.1; each probes first and does nothing on a version that does not need it."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

__all__ = ["repair"]


@cache
def repair() -> tuple[str, ...]:
    """Names of the repairs that were needed."""
    found = (("promoted-bounds", _promoted_bounds), ("entry-snapshot-id", _entry_snapshot_id))
    return tuple(name for name, fix in found if fix())


def _promoted_bounds() -> bool:
    """Bounds written before int→long or float→double have four bytes; unpatched, every filtered scan fails."""
    from pyiceberg import conversions
    from pyiceberg.types import DoubleType, LongType

    try:
        conversions.from_bytes(LongType(), b"\1\0\0\0")
    except struct.error:
        conversions.from_bytes.register(LongType, _long)
        conversions.from_bytes.register(DoubleType, _double)
        return True
    return False


def _long(_: Any, data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def _double(_: Any, data: bytes) -> float:
    value: float = struct.unpack("<f" if len(data) == 4 else "<d", data)[0]
    return value


def _entry_snapshot_id() -> bool:
    """Setting an inherited snapshot id overwrites the entry's status, so rewriting other writers' files fails."""
    from pyiceberg.manifest import ManifestEntry

    entry = ManifestEntry.from_args(
        status=1, snapshot_id=None, sequence_number=None, file_sequence_number=None, data_file=None
    )
    entry.snapshot_id = 7
    if entry.snapshot_id == 7:
        return False
    getter = ManifestEntry.snapshot_id.fget
    ManifestEntry.snapshot_id = property(getter, lambda self, value: self._data.__setitem__(1, value))
    return True
