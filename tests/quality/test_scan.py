"""Dataset checks: counters first, one pass over the columns where need be, and nothing unlooked-at passes."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.model.checks import Rule
from dativo_provider.model.settings import Settings
from dativo_provider.quality.frontends.compile import compile_rules
from tests.quality.staged import FIELDS, Staged, compiled, results
from tests.quality.support import a_check
from tests.support import requirement


@requirement("DQ-06", "DQ-19", "SN-02")
def test_rows_that_repeat_a_key_are_counted_and_null_is_no_key() -> None:
    checks = compiled({"type": "unique", "column": "id"}, {"type": "unique", "columns": ["id", "of"]})
    first, second = results(checks, Staged(id=[1, 1, 1, 2, None, None], of=["a", "a", None, None, "x", "x"]))
    assert (first.outcome, first.failed, first.value, first.evaluated_by) == ("failed", 2, 2, "scan")
    assert (second.outcome, second.failed) == ("failed", 1)
    assert "2 rows repeat the id of another row" in first.message
    (fine,) = results(checks[:1], Staged(id=[1, 2, 3, None], of=["a"] * 4))
    assert (fine.outcome, fine.failed) == ("passed", 0)


@requirement("DQ-06")
def test_allowed_duplicates_pass_up_to_the_threshold() -> None:
    staged = Staged(id=[1, 1, 2, 3, 4])
    percent = {"metric": "duplicateValues", "mustBeLessOrEqualTo": 20, "unit": "percent"}
    rows = {"metric": "duplicateValues", "mustBeLessThan": 1.5}
    none = {"metric": "duplicateValues", "mustBeLessOrEqualTo": 0}
    outcomes = [r.outcome for r in results(compiled(percent, rows, none, language="odcs", column="id"), staged)]
    assert outcomes == ["passed", "passed", "failed"]
    (tolerant,) = results(compiled({"type": "unique", "column": "id", "tolerance": 0.2}), staged)
    assert tolerant.outcome == "passed"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5) | st.none(), st.sampled_from(["a", "b", None])), max_size=30))
@requirement("DQ-06")
def test_surplus_rows_equal_a_count_by_hand(rows: list[tuple[int | None, str | None]]) -> None:
    staged = Staged(id=[r[0] for r in rows], of=[r[1] for r in rows])
    (result,) = results(compiled({"type": "unique", "columns": ["id", "of"]}), staged)
    keys = [r for r in rows if None not in r]
    assert result.failed == len(keys) - len(set(keys))


def test_a_column_may_have_any_name() -> None:
    check = a_check(kind="uniqueness", scope="dataset", columns=('we"ird; name',))
    (result,) = results([check], Staged(**{'we"ird; name': [1, 1]}))
    assert result.failed == 1


@requirement("DQ-06", "SN-01", "SN-02")
def test_freshness_is_the_age_of_the_newest_row_in_its_own_zone() -> None:
    checks = compiled(
        {"type": "freshness", "column": "seen", "max_age_hours": 2},
        {"type": "freshness", "column": "at", "max_age_hours": 2},
        {"type": "freshness", "column": "day", "max_age_hours": 13},
        {"type": "freshness", "column": "seen", "max_age_hours": 0.5},
    )
    staged = Staged(
        seen=[dt.datetime(2024, 3, 1, 11, tzinfo=dt.UTC), None],
        at=[dt.datetime(2020, 1, 1), dt.datetime(2024, 3, 1, 20)],  # 11:00 UTC
        day=[dt.date(2024, 2, 29), dt.date(2024, 2, 28)],
    )
    found = results(checks, staged)
    assert [r.outcome for r in found] == ["passed", "passed", "passed", "failed"]
    assert found[3].message == "the newest seen is 1.0 hours old, at most 0.5 hours are allowed"
    assert found[0].value == "2024-03-01T11:00:00+00:00"
    assert staged.reads == [["at", "day", "seen"]]


def test_nothing_to_tell_the_age_of_is_not_evaluated() -> None:
    checks = compiled({"type": "freshness", "column": "seen", "max_age_hours": 2})
    for staged in (Staged(seen=[None]), Staged(seen=[])):
        assert results(checks, staged)[0].outcome == "not_evaluated"


def test_a_date_python_cannot_write_is_not_stale() -> None:
    far = pa.array([2**31 - 1], pa.int32()).cast(pa.date32())
    staged = Staged(seen=[None])
    staged.data = pa.table({"day": far})
    (result,) = results(compiled({"type": "freshness", "column": "day", "max_age_hours": 1}), staged)
    assert result.outcome == "passed"


@requirement("DQ-06")
def test_row_counts_come_from_the_books() -> None:
    checks = compiled({"type": "row_count", "min": 1}, {"type": "row_count", "max": 2})
    staged = Staged(id=[1, 2, 3])
    assert [(r.outcome, r.value, r.evaluated_by) for r in results(checks, staged)] == [
        ("passed", 3, "stats"),
        ("failed", 3, "stats"),
    ]
    assert [r.outcome for r in results(checks, Staged(id=[]))] == ["failed", "passed"]
    assert staged.reads == []


@requirement("DQ-11", "SN-01", "SN-02")
def test_what_this_version_cannot_evaluate_says_why_and_by_whom_it_could() -> None:
    checks = [
        *compiled({"name": "links", "type": "regex"}),
        *compiled({"change for row_count < 10": None}, language="soda"),
        *compiled({"type": "custom", "engine": "monteCarlo", "implementation": "x"}, language="odcs"),
        a_check(kind="custom", scope="dataset", columns=()),
    ]
    found = results(checks, Staged(id=[1]))
    assert {r.outcome for r in found} == {"not_evaluated"}
    assert {r.evaluated_by for r in found} == {"none"}
    assert "monteCarlo" in found[2].message


def test_texts_and_disabled_checks_are_skipped() -> None:
    disabled = compile_rules([Rule("inline", {"type": "unique", "column": "id"})], FIELDS, "disabled")[-1]
    text = compiled({"type": "text", "description": "reviewed monthly"}, language="odcs")[0]
    found = results([disabled, text], Staged(id=[1, 1]))
    assert [(r.outcome, r.message) for r in found] == [
        ("skipped", "the contract's enforcement is disabled"),
        ("skipped", "reviewed monthly"),
    ]


@pytest.mark.parametrize("rows", [300_000])
def test_uniqueness_of_many_keys_stays_within_its_memory(rows: int) -> None:
    keys = [f"key-{number:060}" for number in range(rows)]
    (check,) = compiled({"type": "unique", "column": "of"})
    (result,) = results([check], Staged(of=keys), settings=Settings("/nowhere", memory_limit_mb=64))
    assert (result.outcome, result.failed) == ("passed", 0)
