"""Expectations of Great Expectations 0.18 and 1.x, as suites (JSON, YAML) and inline lists write them.

`{type: expect_column_values_to_be_between, kwargs: {column: …}}`, `{name: expect_…, column: …}`; class names are
understood too. What says the same as a check of ours becomes one, with the engine's own denominators: `mostly` is a
share of the rows that are not NULL. Anything else, or `engine: great_expectations`, is for the engine itself.
https://greatexpectations.io/expectations/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import dativo_provider.quality.frontends.inline as inline
from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends import (
    expectations_of_columns,
    expectations_of_rows,
    expectations_of_tables,
)
from dativo_provider.quality.frontends.base import Contract, Draft
from dativo_provider.quality.frontends.expectation import Expectation, Unmapped, word_of
from dativo_provider.quality.frontends.row_condition import condition_sql

__all__ = ["MAPPED", "compile_rule"]

MAPPED = {
    **expectations_of_rows.EXPECTATIONS,
    **expectations_of_columns.EXPECTATIONS,
    **expectations_of_tables.EXPECTATIONS,
}
_ENGINES = ("great_expectations", "gx", "greatExpectations")


def compile_rule(rule: Rule, contract: Contract) -> Iterator[Draft]:
    word = word_of(rule.body)
    if not word.startswith(("expect", "unexpected")):
        yield from inline.compile_rule(rule, contract)
        return
    expectation = Expectation.of(word, rule, contract)
    said = expectation.said()
    try:
        where = condition_sql(expectation.kwargs.get("row_condition"), contract, rule)
        drafts = _mapped(expectation)
    except Unmapped:
        yield _native(expectation)
        return
    for draft in drafts:
        own = draft.said or {}
        both = " AND ".join(f"({part})" for part in (where, own.get("where", "")) if part)
        yield replace(draft, said={**said, **own, **({"where": both} if both else {})})


def _mapped(expectation: Expectation) -> list[Draft]:
    if expectation.word not in MAPPED or expectation.rule.body.get("engine") in _ENGINES:
        raise Unmapped
    return list(MAPPED[expectation.word](expectation))


def _native(expectation: Expectation) -> Draft:
    """As a suite of 1.x writes it. The engine applies `mostly` itself."""
    return Draft(
        "custom",
        params={"native": {"type": expectation.word, "kwargs": dict(expectation.kwargs)}},
        engine="great_expectations",
        label=expectation.word,
        said={key: value for key, value in expectation.said().items() if key != "tolerance"},
    )
