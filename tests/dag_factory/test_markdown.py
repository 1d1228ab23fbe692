from __future__ import annotations

import pytest

from dag_factory.markdown import code, table, text


@pytest.mark.parametrize(
    "written",
    ["![x](http://tracker/p.png)", "<script>alert(1)</script>", "[a](javascript:b)", "# Head", "a | b", "`code`"],
)
def test_what_a_tenant_wrote_is_shown_as_text(written):
    shown = text(written)
    for mark in "[]<>#|`":
        assert f"\\{mark}" in shown or mark not in written


def test_a_code_span_cannot_be_left():
    assert code("a` **b** `c") == "`a' **b** 'c`"
    assert code("a|b\nc") == "`a\\|b c`"
    assert code("") == ""


def test_a_table_without_rows_is_nothing():
    assert table(("a", "b"), []) == ""
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
