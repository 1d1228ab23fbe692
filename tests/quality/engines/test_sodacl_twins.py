"""SodaCL that we evaluate ourselves has the verdict of Soda 3.5.6, the last release that reads it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.quality.frontends.sodacl import METRICS
from tests.quality.engines.twins import TABLES, Case, Said, agree, by_us, by_worker
from tests.support import requirement

NAN = {"nan": "NaN is in no range for us; for DuckDB it is the greatest number"}
NO_AGE = dict.fromkeys(("nulls", "empty"), "without a moment there is no age for us; for Soda it is too great")
NO_NUMBER = {"nan": "a mean that is NaN fails for us"}


def line(text: str, differs: dict[str, str] | None = None, **options: Any) -> Case:
    written = {key.replace("_", " "): value for key, value in options.items()}
    return Case(text if not options else f"{text} {options}", {text: written or None}, differs=differs or {})


CASES = [
    line("row_count > 0"),
    line("row_count between 3 and 6"),
    line("row_count not between 2 and 5"),
    line("row_count = 6"),
    line("missing_count(of) = 0"),
    line("missing_count(of) < 2"),
    line("missing_percent(amount) < 17"),
    line("missing_count(of) = 0", missing_values=["", "N/A"]),
    line("missing_count(of) = 0", missing_regex="[a-c]"),
    line("invalid_count(of) = 0", valid_values=["a", "b", "c", "d", "e", "f"]),
    line("invalid_count(of) = 0", invalid_values=["a"]),
    line("invalid_percent(of) < 20", valid_values=["a"]),
    line("invalid_count(of) = 0", valid_regex="[a-z]"),
    line("invalid_count(id) = 0", valid_min=1, valid_max=5),
    line("invalid_count(amount) = 0", NAN, valid_min=0),
    line("invalid_count(of) = 0", valid_min_length=1, valid_max_length=2),
    line("invalid_count(of) = 0", valid_length=1),
    line("valid_count(of) >= 4", valid_max_length=1),
    line("duplicate_count(id) = 0"),
    line("duplicate_count(of) < 2"),
    line("duplicate_percent(id) < 30"),
    line("duplicate_count(id, amount) = 0"),
    line("avg(id) between 2 and 3"),
    line("avg(amount) < 4", NO_NUMBER),
    line("sum(id) = 21"),
    line("min(price) >= 0"),
    line("max(price) < 7"),
    line("max_length(of) < 3"),
    line("min_length(of) > 0"),
    line("avg_length(of) = 1"),
    line("stddev(id) < 1.8"),
    line("stddev_samp(id) < 1.8"),
    line("stddev_pop(id) < 1.8"),
    line("variance(id) < 3.4"),
    line("var_samp(id) < 3.4"),
    line("var_pop(id) < 3"),
    line("percentile(id, 0.5) < 4"),
    line("freshness(at) < 1h", NO_AGE),
    line("freshness(at) < 10m", NO_AGE),
]


# Soda 3 has no metric of the first name, and no verdict of the second over DuckDB.
OURS = {"distinct_count", "valid_percent"}


def test_every_mapped_metric_has_a_case() -> None:
    assert {re.split(r"[ (]", case.name)[0] for case in CASES} == set(METRICS) - OURS


@pytest.fixture(scope="module")
def soda3(sodacl_env: Path) -> dict[tuple[str, str], Said]:
    worker = Path(__file__).with_name("sodacl.py")
    return by_worker(sodacl_env, worker, CASES, lambda case: {"native": case.body})


@requirement("DQ-05")
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_our_verdict_is_that_of_soda_3(case: Case, table: str, soda3: dict[tuple[str, str], Said]) -> None:
    agree(by_us("soda", case, TABLES[table]), soda3[case.name, table], case, table)
