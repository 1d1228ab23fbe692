"""Expectations about the rows and columns of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from dativo_provider.quality.frontends.base import Draft, only_number, refuse
from dativo_provider.quality.frontends.expectation import Expectation, bounded
from dativo_provider.quality.frontends.sqltext import over_rows
from dativo_provider.quality.frontends.thresholds import Threshold

__all__ = ["EXPECTATIONS"]

Made = Iterator[Draft]


def _between(draft: Draft) -> Callable[[Expectation], Made]:
    return lambda e: iter(bounded(draft, e.kwargs))


def _equal(draft: Draft) -> Callable[[Expectation], Made]:
    def made(e: Expectation) -> Made:
        value = e.kwargs.get("value")
        if not only_number(value):
            refuse(e.rule, f"value: {value!r} is no number", "add value: 100")
        yield replace(draft, allowed=Threshold("mustBe", value))

    return made


_ROWS, _COLUMNS = Draft("row_count"), Draft("schema", label="column_count")


def _ordered_columns(e: Expectation) -> Made:
    names = [str(name) for name in e.listed("column_list")]
    yield Draft("schema", (), {"names": names, "order": True, "others": False}, label="columns")


def _column_set(e: Expectation) -> Made:
    """`exact_match` (the default) allows no other column."""
    names = [str(name) for name in e.listed("column_set")]
    exact = e.kwargs.get("exact_match", True) is not False
    yield Draft("schema", (), {"names": names, "order": False, "others": not exact}, label="columns")


def _unexpected_rows(e: Expectation) -> Made:
    query = over_rows(e.text("unexpected_rows_query"))
    yield Draft("failed_rows", (), {"query": query}, Threshold("mustBe", 0), label="unexpected_rows")


EXPECTATIONS: dict[str, Callable[[Expectation], Made]] = {
    "expect_table_row_count_to_be_between": _between(_ROWS),
    "expect_table_row_count_to_equal": _equal(_ROWS),
    "expect_table_column_count_to_be_between": _between(_COLUMNS),
    "expect_table_column_count_to_equal": _equal(_COLUMNS),
    "expect_table_columns_to_match_ordered_list": _ordered_columns,
    "expect_table_columns_to_match_set": _column_set,
    "unexpected_rows_expectation": _unexpected_rows,
}
