"""What can be told of a SQL expression without an engine: is it windowed, and which column does it make?"""

from __future__ import annotations

import re

__all__ = ["column_named", "is_windowed"]

_NOT_CODE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_OVER = re.compile(r"\bover\s*(?:\(|[a-z_])", re.IGNORECASE)
_AGGREGATE = re.compile(
    r"\b(?:sum|avg|mean|count|min|max|median|mode|stddev\w*|variance|var_\w+|string_agg|group_concat|array_agg|list|"
    r"first|last|any_value|arg_min|arg_max|approx_\w+|quantile\w*|bool_and|bool_or|histogram|product|corr)\s*\(",
    re.IGNORECASE,
)
_VERBS = (
    "extract", "calculate", "calc", "compute", "derive", "add", "get", "set", "make", "build", "create", "parse",
    "normalize", "normalise", "clean", "cast", "convert", "map", "format", "fill", "mask",
)  # fmt: skip
_NAME = re.compile(rf"(?:(?:{'|'.join(_VERBS)})_)?(.+?)(?:_from_.+)?", re.IGNORECASE)


def is_windowed(expression: str) -> bool:
    """Whether it has a window function or an aggregate, and so needs all rows of a run."""
    code = _NOT_CODE.sub(" ", expression)
    return bool(_OVER.search(code) or _AGGREGATE.search(code))


def column_named(name: str) -> str:
    """`extract_team_from_tags` → `team`, `calculate_daily_cost` → `daily_cost`: a leading verb and a trailing
    `_from_…` are left out."""
    match = _NAME.fullmatch(name.strip())
    found = match[1] if match else name
    return re.sub(r"\W+", "_", found).strip("_").lower() or name
