"""Every check of Soda and Great Expectations that maps is evaluated here, and comes to the verdict its author means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec, Rule
from dativo_provider.model.settings import Settings
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.frontends import great_expectations, soda
from dativo_provider.quality.frontends.compile import compile_rules
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.scan import evaluate
from dativo_provider.quality.stream import RowChecks
from dativo_provider.quality.verdict import decide
from tests.quality.mapped import EXPECTATIONS, FIELDS, ROWS, SODA, Example
from tests.quality.support import a_plan
from tests.support import requirement

NOW = datetime(2024, 3, 9, tzinfo=UTC)


def table() -> pa.RecordBatch:
    def array(name: str, kind: str) -> pa.Array:
        values = [datetime.fromisoformat(v) for v in ROWS[name]] if kind == "timestamp" else ROWS[name]
        return pa.array(values, to_arrow(kind))

    return pa.record_batch({field.name: array(field.name, field.type) for field in FIELDS})


def outcomes(checks: Sequence[CheckSpec]) -> list[CheckResult]:
    """Of row checks and dataset checks, as the verdict judges them."""
    rows = table()
    stream = RowChecks([check for check in checks if check.scope == "row"], rows.schema)
    stream.evaluate(rows, {})

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield rows.select(list(columns))

    books = Books(extracted=rows.num_rows, accepted=rows.num_rows, produced=rows.num_rows)
    scene = Scene(read, books, NOW, Settings("/nowhere"), FIELDS)
    found = [*stream.results(), *evaluate([check for check in checks if check.scope == "dataset"], scene)]
    return list(decide(a_plan(checks), found, books, NOW).results)


def verdict(example: Example, language: str) -> bool:
    rule = Rule(language, example.body, example.column, "suite.yaml:1:1")
    checks = [check for check in compile_rules([rule], FIELDS) if check.declared_in]
    results = outcomes(checks)
    assert {result.outcome for result in results} <= {"passed", "failed"}, results
    return all(result.outcome == "passed" for result in results)


@requirement("DQ-10", "DQ-11")
@pytest.mark.parametrize("example", EXPECTATIONS, ids=str)
def test_an_expectation_comes_to_its_verdict_without_the_engine(example: Example) -> None:
    assert verdict(example, "great_expectations") is example.passes


@requirement("DQ-08", "DQ-11")
@pytest.mark.parametrize("example", SODA, ids=str)
def test_a_check_of_soda_comes_to_its_verdict_without_the_engine(example: Example) -> None:
    assert verdict(example, "soda") is example.passes


def test_every_mapped_word_has_an_example_that_passes_and_one_that_fails() -> None:
    def shown(examples: list[Example]) -> set[tuple[str, bool]]:
        return {(example.word, example.passes) for example in examples}

    # equal to expect_column_values_to_be_of_type
    wanted: set[Any] = {(word, passes) for word in great_expectations.MAPPED for passes in (True, False)}
    assert wanted - shown(EXPECTATIONS) == {("expect_column_type_to_be", True), ("expect_column_type_to_be", False)}
    # what needs more than one table or a contract is tested where it is compiled
    lacking = {word for word in soda.MAPPED if not {(word, True), (word, False)} <= shown(SODA)}
    assert lacking == {"schema"}
