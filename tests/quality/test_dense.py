"""Keys that are whole numbers close together: counted by place or by bit, and never otherwise than by a hash table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.model.settings import Settings
from dativo_provider.quality.metrics import dense
from tests.quality.staged import compiled, results, scene_of
from tests.support import requirement

CLOSE = st.integers(-6, 6)
PART = st.one_of(st.none(), CLOSE)


class Rows:
    """Columns `a` and `b` in batches of `size` rows."""

    def __init__(self, a: Any, b: Any = None, size: int = 7) -> None:
        columns = {"a": pa.array(a, pa.int64()), "b": pa.array(a if b is None else b, pa.int64()).cast(pa.int32())}
        self.data, self.size, self.reads = pa.table(columns), size, 0

    def __call__(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        self.reads += 1
        have = [name for name in columns if name in self.data.schema.names]  # as Parquet is read
        yield from self.data.select(have).to_batches(self.size)


def counted(rows: Rows, *columns: str, memory_mb: int = 512) -> int | None:
    return dense.surplus(columns, scene_of(rows, settings=Settings("/nowhere", memory_limit_mb=memory_mb)))  # type: ignore[arg-type]


def surplus(keys: Sequence[tuple[Any, ...]]) -> int:
    found = Counter(key for key in keys if None not in key)
    return sum(found.values()) - len(found)


@requirement("DQ-15")
@settings(max_examples=25)
@given(st.lists(st.tuples(PART, PART), max_size=40), st.booleans())
def test_by_place_or_by_bit_as_many_rows_repeat_a_key_as_there_are(keys: list[tuple[Any, Any]], sparse: bool) -> None:
    far = 1 if not sparse else 5  # apart enough for bits, near enough for no hash table
    a, b = [k[0] if k[0] is None else k[0] * far for k in keys], [k[1] for k in keys]
    rows = Rows(a, b)
    assert counted(rows, "a", "b") in (surplus(keys), None)
    assert counted(rows, "a") == surplus([(each,) for each in a])


def test_keys_close_together_are_read_once() -> None:
    rows = Rows([*range(-50, 50), 3, 3, None, None])
    assert (counted(rows, "a"), rows.reads) == (2, 1)


@pytest.mark.parametrize(("step", "reads"), [(1, 1), (6, 2)])
def test_a_key_of_two_numbers_is_told_from_every_other_pair(step: int, reads: int) -> None:
    pairs = [(a * step, b) for a in range(-4, 4) for b in range(8)] + [(3 * step, 0), (0, 0)]
    rows = Rows([a for a, _ in pairs], [b for _, b in pairs])
    assert (counted(rows, "a", "b"), rows.reads) == (2, reads)


def test_keys_further_apart_are_read_twice() -> None:
    rows = Rows([*range(0, 2000, 20), 40])
    assert (counted(rows, "a"), rows.reads) == (1, 2)


@pytest.mark.parametrize("columns", [["a"], ["a", "b"]])
def test_keys_that_do_not_fit_into_their_part_of_the_memory_are_read_twice(columns: list[str]) -> None:
    numbers = pc.cumulative_sum(pa.repeat(pa.scalar(1), 2_400_000))
    rows = Rows(pa.concat_arrays([numbers, pa.array([7])]), pa.repeat(pa.scalar(1), 2_400_001), size=65_536)
    assert (counted(rows, *columns, memory_mb=128), rows.reads) == (1, 2)
    assert (counted(rows, *columns, memory_mb=1024), rows.reads) == (1, 3)


@pytest.mark.parametrize("far", [2**62, 3_000_000_000, 100_000])
def test_keys_far_apart_are_left_to_the_hash_table(far: int) -> None:
    rows = Rows([-far, far, 0, 0], [1, 2, 3, 4])
    assert counted(rows, "a") is None


def test_a_key_with_a_missing_part_is_none_and_a_column_that_is_absent_is_no_key() -> None:
    assert counted(Rows([1, 1, None], [None, None, 2]), "a", "b") == 0
    assert counted(Rows([1, 2]), "c") is None


def test_a_condition_still_decides_which_rows_count() -> None:
    from tests.quality.staged import Staged

    staged = Staged(id=[1, 1, 2, 3], amount=[1.0, -1.0, 1.0, 1.0])
    plain, kept = compiled(
        {"type": "unique", "column": "id"}, {"type": "unique", "column": "id", "where": "amount > 0"}
    )
    assert [each.failed for each in results([plain, kept], staged)] == [1, 0]


def test_keys_that_rise_from_batch_to_batch_need_no_memory_whatever_they_are() -> None:
    texts = Columns(a=[f"{at:05}" for at in range(50)], b=[None, *[1.5] * 49])
    assert counted(texts, "a", "b") == 0
    assert counted(texts, "b", "a") == 0
    assert counted(Columns(a=["x", "y"] * 8), "a") is None


@pytest.mark.parametrize("at", [3, 6, 7, 8, 13])
def test_a_key_that_repeats_where_a_batch_ends_does_not_rise(at: int) -> None:
    texts = [f"{place:05}" for place in range(14)]
    assert counted(Columns(a=[*texts[:at], texts[at], *texts[at:]]), "a") is None
    pairs = Columns(a=[1] * 15, b=[*range(at), at, *range(at, 14)])
    assert counted(pairs, "a", "b") == 1


class Columns(Rows):
    def __init__(self, **columns: Any) -> None:
        self.data, self.size, self.reads = pa.table(columns), 7, 0
