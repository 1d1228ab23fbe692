"""The line of a SodaCL check: `metric(arguments) operator value`. https://docs.soda.io/soda-cl-overview"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dativo_provider.quality.frontends.thresholds import Threshold, Unit

__all__ = ["Line", "condition", "line"]

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_LINE = re.compile(
    r"""^\s*(?P<change>change\s+(?P<percent>percent\s+)?for\s+)?
    (?P<metric>[a-z_][a-z0-9_]*)\s*(?:\((?P<arguments>[^()]*)\))?\s*(?P<rest>.*)$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_COMPARED = re.compile(rf"^(?P<sign><=|>=|!=|<>|=|<|>)\s*(?P<value>{_NUMBER})\s*(?P<unit>%|[a-z]+)?$", re.IGNORECASE)
_BETWEEN = re.compile(
    rf"^(?P<not>not\s+)?between\s+(?P<open>[(\[])?\s*(?P<low>{_NUMBER})\s*(?P<unit>%|[a-z]+)?\s+and\s+"
    rf"(?P<high>{_NUMBER})\s*(?P<unit2>%|[a-z]+)?\s*(?P<close>[)\]])?$",
    re.IGNORECASE,
)
_DURATION = re.compile(r"^(?P<sign><=|<)\s*(?P<parts>(?:\d+\s*[dhms]){2,})$", re.IGNORECASE)
_PART = re.compile(r"(\d+)\s*([dhms])", re.IGNORECASE)
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_WORDS = {
    "=": "mustBe", "!=": "mustNotBe", "<>": "mustNotBe", "<": "mustBeLessThan", "<=": "mustBeLessOrEqualTo",
    ">": "mustBeGreaterThan", ">=": "mustBeGreaterOrEqualTo",
}  # fmt: skip
_OPPOSITE = {
    "mustBe": "mustNotBe", "mustNotBe": "mustBe", "mustBeLessThan": "mustBeGreaterOrEqualTo",
    "mustBeLessOrEqualTo": "mustBeGreaterThan", "mustBeGreaterThan": "mustBeLessOrEqualTo",
    "mustBeGreaterOrEqualTo": "mustBeLessThan", "mustBeBetween": "mustNotBeBetween",
    "mustNotBeBetween": "mustBeBetween",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """`change` is set for `change for …`, `percent` where a change is asked for in percent."""

    metric: str
    arguments: tuple[str, ...]
    allowed: tuple[Threshold, ...]  # what must hold; empty: the line has no operator
    unit: str = ""  # of a duration
    change: bool = False
    percent: bool = False


def line(text: str) -> Line | None:
    """None for what is no line of this shape."""
    match = _LINE.match(text.strip())
    if match is None:
        return None
    rest = match["rest"].strip()
    compared = _compared(rest) if rest else ((), "")
    if compared is None:
        return None
    allowed, unit = compared
    arguments = tuple(part.strip().strip('"') for part in (match["arguments"] or "").split(",") if part.strip())
    percent = bool(match["percent"]) or unit == "%"
    return Line(match["metric"].lower(), arguments, allowed, unit, bool(match["change"]), percent)


def condition(text: str, *, unit: Unit = "rows") -> tuple[tuple[Threshold, ...], str] | None:
    """What must hold so that an alert `when TEXT` stays silent, and the unit of its duration; None if unclear."""
    found = _compared(re.sub(r"^when\s+", "", text.strip(), flags=re.IGNORECASE))
    if found is None or len(found[0]) != 1:
        return None
    allowed = found[0][0]
    return (Threshold(_OPPOSITE[allowed.op], allowed.value, unit),), found[1]


def _compared(text: str) -> tuple[tuple[Threshold, ...], str] | None:
    if match := _COMPARED.match(text):
        return (Threshold(_WORDS[match["sign"]], _number(match["value"])),), (match["unit"] or "").lower()
    if match := _DURATION.match(text):
        seconds = sum(int(number) * _SECONDS[unit.lower()] for number, unit in _PART.findall(match["parts"]))
        return (Threshold(_WORDS[match["sign"]], seconds),), "s"
    if match := _BETWEEN.match(text):
        return _between(match), (match["unit"] or match["unit2"] or "").lower()
    return None


def _between(match: re.Match[str]) -> tuple[Threshold, ...]:
    """A round bracket leaves its end out; without brackets both are in."""
    low, high = _number(match["low"]), _number(match["high"])
    above, below = match["open"] == "(", match["close"] == ")"
    if match["not"]:
        return (Threshold("mustNotBeBetween", [low, high]),)
    if not above and not below:
        return (Threshold("mustBeBetween", [low, high]),)
    return (
        Threshold("mustBeGreaterThan" if above else "mustBeGreaterOrEqualTo", low),
        Threshold("mustBeLessThan" if below else "mustBeLessOrEqualTo", high),
    )


def _number(text: str) -> Any:
    value = float(text)
    return int(value) if value.is_integer() and "." not in text else value
