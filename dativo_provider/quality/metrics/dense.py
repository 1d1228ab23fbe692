"""Repeats of keys that need no hash table, because they rise from row to row, or are whole numbers close together.

Of such numbers each possible key has a place. Rows that fit in a part of the memory are looked at once, by their place
(Arrow); more of them twice, with one bit for each place (DuckDB). Both count exactly, in any order; neither spills.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.metrics.query import memory_mb, one_pass
from dativo_provider.sql.names import quoted

__all__ = ["surplus"]

_MOST_BITS = 1_000_000_000  # of bitstring_agg
_BITS_A_ROW = 64  # beyond it a hash table is smaller
_PLACES_A_ROW = 4
_PLACE_BYTES = 5  # what a possible key takes of Arrow: a position, and whether there is one


def surplus(columns: Sequence[str], scene: Scene) -> int | None:
    """Rows beyond the first of each key; None where the keys are neither."""
    found = _Keys(columns, (memory_mb(scene) << 20) // 4)
    for batch in scene.read(columns):
        scene.check_cancelled()
        if not found.add(batch):
            return None
    if found.rise:
        return 0
    width = prod(found.widths)
    if found.kept is not None and width <= min(found.rows * _PLACES_A_ROW, found.room // _PLACE_BYTES):
        return found.rows - _taken(found.kept, found, width)
    if width <= min(found.rows * _BITS_A_ROW, _MOST_BITS, found.room * 8 // scene.settings.threads):
        return found.rows - _set_bits(found, width, scene)
    return None


@dataclass
class _Keys:
    """What the keys came to so far. `kept` are the keys themselves, until they take more than `room` bytes."""

    columns: Sequence[str]
    room: int
    rows: int = 0
    rise: bool = True  # each key is greater than the one before it
    close: bool = True  # they are whole numbers, and close together
    spans: list[tuple[int, int]] = field(default_factory=list)
    kept: list[list[pa.Array]] | None = field(default_factory=list)
    _last: list[pa.Array] = field(default_factory=list)
    _bytes: int = 0

    @property
    def widths(self) -> list[int]:
        return [high - low + 1 for low, high in self.spans]

    def add(self, batch: pa.RecordBatch) -> bool:
        """False for keys that are neither."""
        if not all(name in batch.schema.names for name in self.columns):
            return False
        keys = _whole([batch.column(name) for name in self.columns])
        if not len(keys[0]):
            return True
        self.rise = self.rise and _rises(self._last, keys)
        self._last = [each[-1:] for each in keys]
        self.close = self.close and all(pa.types.is_signed_integer(each.type) for each in keys)
        if self.close:
            self._add(keys)
        return self.rise or self.close

    def _add(self, keys: list[pa.Array]) -> None:
        spans = [(span["min"].as_py(), span["max"].as_py()) for span in map(pc.min_max, keys)]
        both = zip(spans, self.spans or spans, strict=True)
        self.spans = [(min(low, lowest), max(high, highest)) for (low, high), (lowest, highest) in both]
        self.rows += len(keys[0])
        self.close = prod(self.widths) <= _MOST_BITS
        self._bytes += sum(each.nbytes for each in keys)
        if not self.close or self._bytes > self.room:
            self.kept = None
        if self.kept is not None:
            self.kept.append(keys)


def _rises(last: list[pa.Array], keys: list[pa.Array]) -> bool:
    """Whether each row's key is greater than that of the row before, the first part of a key counting most."""
    risen: Any = pa.scalar(False)
    for at, each in reversed(list(enumerate(keys))):
        before = pa.concat_arrays([last[at], each[:-1]]) if last else each[:-1]
        here = each if last else each[1:]
        try:
            risen = pc.or_(pc.greater(here, before), pc.and_(pc.equal(here, before), risen))
        except pa.ArrowNotImplementedError:  # of a type without an order
            return False
    return bool(pc.all(risen, min_count=0).as_py())


def _whole(keys: list[pa.Array]) -> list[pa.Array]:
    """Without the rows in which a part of the key is missing."""
    for nullable in keys:
        if nullable.null_count:
            there = pc.is_valid(nullable)
            keys = [each.filter(there) for each in keys]
            return _whole(keys)
    return keys


def _taken(kept: Iterable[list[pa.Array]], found: _Keys, width: int) -> int:
    places = pa.concat_arrays(list(_places(kept, found)))
    return int(width - pc.inverse_permutation(places, max_index=width - 1).null_count)


def _places(kept: Iterable[list[pa.Array]], found: _Keys) -> Iterator[pa.Array]:
    """The number of each key among all possible ones."""
    for keys in kept:
        place: Any = pa.scalar(0, pa.int64())
        for each, (low, _), width in zip(keys, found.spans, found.widths, strict=True):
            place = pc.add(pc.multiply(place, width), pc.subtract(each.cast(pa.int64()), low))
        yield place.cast(pa.int32())


def _set_bits(found: _Keys, width: int, scene: Scene) -> int:
    place = "0"
    for name, (low, _), wide in zip(found.columns, found.spans, found.widths, strict=True):
        place = f"({place}) * {wide} + ({quoted(name)}::BIGINT - ({low}))"
    bits = f"bitstring_agg(({place})::BIGINT, 0::BIGINT, {width - 1}::BIGINT)"
    whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in found.columns)
    return int(one_pass(scene, found.columns, f"SELECT bit_count({bits}) AS n FROM staged WHERE {whole}")["n"])
