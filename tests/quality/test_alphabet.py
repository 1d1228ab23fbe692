"""What is told of a whole batch at once is what matching value by value would have told."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.quality.alphabet import Alphabet
from tests.support import requirement

PATTERNS = [
    "^[a-c]+$", "^[a-c]*$", "^[^x]{2}$", r"^[\w\-]{1,3}$", "^[ab\n]{2,}$", r"^[a\]]{0,2}$",
    r"^[\pL]+$", "^[é-ü]*$", r"^[\d.]{0}$",
]  # fmt: skip


def matched(values: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(values, pattern), min_count=0).as_py())


@requirement("DQ-15")
@settings(max_examples=150)
@given(
    st.sampled_from(PATTERNS), st.lists(st.none() | st.text("abcx]é\n-1.", max_size=4), max_size=6), st.integers(0, 2)
)
def test_a_batch_that_holds_matches_value_by_value(pattern: str, texts: list[str | None], skipped: int) -> None:
    alphabet, values = Alphabet.of(pattern), pa.array(texts, pa.string())[skipped:]
    assert alphabet is not None
    assert not alphabet.holds(values) or matched(values, pattern)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("^[a-z]+$", ["abc", "z"]),
        ("^[A-Z]{2}$", ["DE", None, "FR"]),
        (r"^[A-Za-z0-9 ,.;:!?'\-]+$", ["it's fine - isn't it?"]),
        ("^[^,]{1,5}$", ["a b", "12345"]),
        ("^[0-9]{3,}$", ["123", "1234567"]),
    ],
)
def test_values_of_the_alphabet_are_told_without_looking_at_each(pattern: str, texts: list[str | None]) -> None:
    alphabet = Alphabet.of(pattern)
    assert alphabet is not None
    assert alphabet.holds(pa.array(["?!", *texts])[1:])
    assert not alphabet.holds(pa.array([*texts, "ä" * 5 if "^," not in pattern else "a,b"]))


@pytest.mark.parametrize(
    "pattern", ["[a-z]+", "^[a-z]+", "^a+$", "^[a-z]+[0-9]$", "(?i)^[a-z]+$", "^[[:alpha:]]+$", "^[a-z]+?$"]
)
def test_a_pattern_of_another_shape_is_left_to_matching(pattern: str) -> None:
    assert Alphabet.of(pattern) is None
