"""Rules proposed from a profile, each with how often it would have failed in the runs that are known.

A profile is one look: bounds leave a margin, and what only looks constant is not made a rule of.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dativo_provider.model.stream import Field
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.metrics.query import one_pass
from dativo_provider.quality.profile.model import ColumnProfile, Profile
from dativo_provider.quality.profile.terms import NUMERIC
from dativo_provider.sql.names import quoted

__all__ = ["Suggestion", "classified", "suggest", "unique_columns"]

_ENOUGH = 20  # rows, before anything is concluded from them
_WORDS = 12  # values, at most, of a closed list
_MARGIN = 0.1  # of the range, at each end
_UNIQUE = 0.95  # of the rows: HyperLogLog is a few percent off, so such columns are counted exactly
_PERSONAL = re.compile(
    r"(^|_)(e?mail|phone|mobile|first_?name|last_?name|full_?name|birth\w*|ssn|iban|passport|address|street|ip)(_|$)"
)
# The values of a metric in the known runs, newest first.
Past = Callable[[str], Sequence[float]]


@dataclass(frozen=True)
class Suggestion:
    """`column` is empty for a rule of the table; `part` says where `body` belongs: `options` and `property` are merged
    into the column, `quality` is an entry of its list. `failed` of `runs` known runs would have broken it."""

    column: str
    part: str
    body: dict[str, Any]
    why: str
    failed: int = 0
    runs: int = 0

    def __str__(self) -> str:
        where = f"{self.column}: " if self.column else ""
        known = f"would have failed in {self.failed} of {self.runs} known runs" if self.runs else "no run is known yet"
        return f"{where}{self.why}; {known}"


def classified(fields: Sequence[Field]) -> tuple[Field, ...]:
    """With a class where a column's name says that it is about a person: nothing of its values is told then."""
    return tuple(
        replace(field, classification="personal") if not field.classification and _PERSONAL.search(field.name.lower())
        else field
        for field in fields
    )  # fmt: skip


def unique_columns(profile: Profile, scene: Scene) -> frozenset[str]:
    """Columns in which every row has a value of its own, counted exactly."""
    likely = [
        column.name for column in profile.columns
        if profile.rows >= _ENOUGH and not column.nulls and (column.distinct or 0) >= _UNIQUE * profile.rows
        and column.type.partition("(")[0] in ("int", "long", "string", "uuid")
    ]  # fmt: skip
    if not likely:
        return frozenset()
    listed = ", ".join(f"count(DISTINCT {quoted(name)}) AS {quoted(name)}" for name in likely)
    found = one_pass(scene, likely, f"SELECT {listed} FROM staged")
    return frozenset(name for name in likely if found.get(name) == profile.rows)


def suggest(profile: Profile, past: Past, unique: frozenset[str] = frozenset()) -> list[Suggestion]:
    """Nothing of fewer than 20 rows."""
    if profile.rows < _ENOUGH:
        return []
    found = [each for column in profile.columns for each in _of_column(column, profile.rows, past, unique)]
    return [*_of_rows(past), *found]


def _of_rows(past: Past) -> Iterator[Suggestion]:
    """Half and double of what came, which only history can tell."""
    known = [value for value in past("rows_accepted") if value]
    if len(known) < 3:
        return
    low, high = math.floor(min(known) / 2), math.ceil(max(known) * 2)
    body = {"type": "library", "metric": "rowCount", "mustBeBetween": [low, high], "severity": "warning"}
    yield Suggestion("", "quality", body, f"{low} to {high} rows", *_failures(past("rows_accepted"), low, high))


def _of_column(column: ColumnProfile, rows: int, past: Past, unique: frozenset[str]) -> Iterator[Suggestion]:
    yield from _nulls(column, past)
    if column.name in unique:
        body = {"type": "library", "metric": "duplicateValues", "mustBe": 0}
        yield Suggestion(column.name, "quality", body, "no value twice")
    if column.personal:
        return
    if column.type.partition("(")[0] in NUMERIC and column.mean is not None:
        yield from _range(column, past)
    yield from _list(column, rows)


def _nulls(column: ColumnProfile, past: Past) -> Iterator[Suggestion]:
    known = past(f"null_share({column.name})")
    if not column.nulls:
        yield Suggestion(column.name, "property", {"required": True}, "never NULL", *_failures(known, 0, 0))
        return
    if column.null_share == 1:
        return
    most = min(math.ceil(100 * max([column.null_share, *known]) * 1.5) + 1, 100)
    body = {"type": "library", "metric": "nullValues", "unit": "percent", "mustBeLessThan": most, "severity": "warning"}
    yield Suggestion(column.name, "quality", body, f"less than {most} % NULL", *_failures(known, 0, most / 100))


def _range(column: ColumnProfile, past: Past) -> Iterator[Suggestion]:
    lows, highs = past(f"min({column.name})"), past(f"max({column.name})")
    low, high = min([float(column.min), *lows]), max([float(column.max), *highs])
    margin = _MARGIN * (high - low)
    least = 0.0 if low >= 0 else _rounded(low - margin, math.floor)
    most = _rounded(high + margin, math.ceil)
    body = {"minimum": _number(least), "maximum": _number(most)}
    broken, runs = _failures([*lows, *highs], least, most)
    yield Suggestion(column.name, "options", body, f"{least:g} to {most:g}", broken, runs // 2)


def _rounded(value: float, towards: Callable[[float], int]) -> float:
    """To two digits, outwards."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return float(f"{towards(value / unit) * unit:.12g}")


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _list(column: ColumnProfile, rows: int) -> Iterator[Suggestion]:
    """All values, where they are few and each came back."""
    counted = sum(each.count for each in column.top)
    few = 1 < len(column.top) <= _WORDS and counted == rows - column.nulls and column.type == "string"
    if few and min(each.count for each in column.top) >= 3:
        values = sorted(str(each.value) for each in column.top)
        body = {"type": "library", "metric": "invalidValues", "arguments": {"validValues": values}, "mustBe": 0}
        yield Suggestion(column.name, "quality", body | {"severity": "warning"}, f"one of {len(values)} values")


def _failures(known: Sequence[float], low: float, high: float) -> tuple[int, int]:
    return sum(not low <= value <= high for value in known), len(known)
