"""Conditions of alert rules: a closed language of numbers, names, arithmetic and comparisons.

    daily_cost > avg_cost_7d * 1.5
    sum(amount) > 10000 and not (rows_accepted < 10 or rows_quarantined / rows_extracted > 0.01)

Python's grammar is only read, never run: a node that is not listed here is refused. What stands for a number:

| name                 | is                                                                                         |
|----------------------|--------------------------------------------------------------------------------------------|
| `<column>`           | the greatest value of the column among the rows of this run                                |
| `sum(<column>)`, …   | `sum`, `avg`, `min`, `max` or `count` of the column over the rows; also as `sum_<column>`  |
| `rows_accepted`, …   | a count of the run's books                                                                 |
| `avg_<name>_<N>d`    | `avg`, `min`, `max` or `stddev` of one of those over the N days before the day of the run  |

`<name>` of a trailing value may leave `daily_` out: `avg_cost_7d` is that of `daily_cost` where there is no `cost`.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dativo_provider.errors import ConfigurationError

__all__ = ["ROWS", "Condition", "Term", "parse_condition", "resolve"]

ROWS = tuple(f"rows_{name}" for name in "extracted accepted quarantined rejected duplicates filtered produced".split())
FUNCTIONS = ("sum", "avg", "min", "max", "count")
_LONGEST, _DEEPEST = 500, 40
_TRAILING = re.compile(r"(avg|min|max|stddev)_(.+)_(\d{1,3})d")
_PREFIXED = re.compile(rf"({'|'.join(FUNCTIONS)})_(.+)")
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}  # fmt: skip
Number = float | None
Numbers = Mapping[str, Number]


@dataclass(frozen=True)
class Term:
    """`function` of `column` over the rows of a run, or a count of rows (no function). With `days`, `trailing` of what
    runs of the days before came to."""

    column: str
    function: str = ""
    trailing: str = ""
    days: int = 0

    @property
    def metric(self) -> str:
        """Its name in the history of the store."""
        return f"{self.function}({self.column})" if self.function else self.column


@dataclass(frozen=True)
class Condition:
    """`names` are what stands for numbers in it, as written: `daily_cost`, `sum(amount)`."""

    text: str
    names: tuple[str, ...]

    def holds(self, values: Numbers) -> bool | None:
        """None when that hangs on a value that is not known, or on a division by zero."""
        return _logic(_read(self.text), values)


def parse_condition(text: str) -> Condition:
    """Raises `ConfigurationError` saying what of `text` is not in the language."""
    tree = _read(text)
    if not _is_logical(tree):
        raise _refused("it is a number, not a comparison", "compare it, e.g. `> 100`")
    return Condition(text, tuple(dict.fromkeys(_names(tree, 0))))


@lru_cache(maxsize=256)
def _read(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise _refused(f"it is longer than {_LONGEST} characters", "split it into several rules")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = "compare with `==`" if re.search(r"(?<![<>=!])=(?!=)", text) else "e.g. daily_cost > avg_cost_7d * 1.5"
        raise _refused("it cannot be read", hint) from None


def _refused(why: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"condition: {why}", remedy=remedy)


def _is_logical(node: ast.expr) -> bool:
    return isinstance(node, ast.Compare | ast.BoolOp) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )


def _names(node: ast.expr, depth: int) -> Iterator[str]:
    """Of a tree that holds nothing else; whatever is not named here raises."""
    if depth > _DEEPEST:
        raise _refused("it is nested too deeply", "split it into several rules")
    if isinstance(node, ast.Name):
        yield node.id
    elif name := _aggregate(node):
        yield name
    elif not isinstance(node, ast.Constant) or isinstance(node.value, bool) or not isinstance(node.value, int | float):
        for part in _parts(node):
            yield from _names(part, depth + 1)


def _aggregate(node: ast.expr) -> str:
    """`sum(amount)`; empty for anything else."""
    if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 1:
        return ""
    function, column = node.func, node.args[0]
    known = isinstance(function, ast.Name) and function.id in FUNCTIONS and isinstance(column, ast.Name)
    return f"{function.id}({column.id})" if known else ""  # type: ignore[attr-defined]


def _parts(node: ast.expr) -> list[ast.expr]:
    """The operands, each of the kind that its operator takes."""
    if isinstance(node, ast.BoolOp) and all(map(_is_logical, node.values)):
        return node.values
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not) and _is_logical(node.operand):
        return [node.operand]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not _is_logical(node.operand):
        return [node.operand]
    if (
        isinstance(node, ast.BinOp)
        and type(node.op) in _ARITHMETIC
        and not any(map(_is_logical, (node.left, node.right)))
    ):
        return [node.left, node.right]
    if isinstance(node, ast.Compare) and all(type(each) in _COMPARISONS for each in node.ops):
        numbers = [node.left, *node.comparators]
        if not any(map(_is_logical, numbers)):
            return numbers
    written = ast.unparse(node)[:60]
    raise _refused(
        f"'{written}' is not allowed in it",
        f"it may hold numbers, names, + - * /, comparisons, and, or, not, and {', '.join(FUNCTIONS)} of a column",
    )


def _logic(node: ast.expr, values: Numbers) -> bool | None:
    if isinstance(node, ast.BoolOp):
        parts = [_logic(part, values) for part in node.values]
        decisive = isinstance(node.op, ast.Or)
        return decisive if decisive in parts else None if None in parts else not decisive
    if isinstance(node, ast.UnaryOp):
        inner = _logic(node.operand, values)
        return None if inner is None else not inner
    assert isinstance(node, ast.Compare)
    numbers = [_number(part, values) for part in (node.left, *node.comparators)]
    if None in numbers:
        return None
    return all(
        _COMPARISONS[type(op)](left, right) for op, left, right in zip(node.ops, numbers, numbers[1:], strict=False)
    )


def _number(node: ast.expr, values: Numbers) -> Number:
    if isinstance(node, ast.Constant):
        return float(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        inner = _number(node.operand, values)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp):
        left, right = _number(node.left, values), _number(node.right, values)
        try:
            return None if left is None or right is None else _ARITHMETIC[type(node.op)](left, right)
        except (ZeroDivisionError, OverflowError):
            return None
    return values.get(node.id if isinstance(node, ast.Name) else _aggregate(node))


def resolve(name: str, columns: Collection[str]) -> Term | None:
    """What `name` stands for in a stream with these columns; None when nothing."""
    if found := _of_run(name, columns):
        return found
    match = _TRAILING.fullmatch(name)
    if not match or not int(match[3]):
        return None
    inner = _of_run(match[2], columns) or _of_run(f"daily_{match[2]}", columns)
    return Term(inner.column, inner.function, match[1], int(match[3])) if inner else None


def _of_run(name: str, columns: Collection[str]) -> Term | None:
    if name in columns:
        return Term(name, "max")
    if name in ROWS:
        return Term(name)
    match = re.fullmatch(r"(\w+)\((.+)\)", name) or _PREFIXED.fullmatch(name)
    return Term(match[2], match[1]) if match and match[2] in columns else None
