"""Writing SQL: names, literals, and a tenant's own `query` and `where` fenced in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dativo_provider.connectors.database.fence import Fence
from dativo_provider.errors import ConfigurationError

__all__ = ["expression", "identifier", "literal", "name_parts", "subselect"]

_TOKEN = re.compile(
    r"""
      [eE]'(?:[^'\\]|\\.|'')*'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | \$\$.*?\$\$
    | \$(?P<tag>[^\W\d]\w*)\$.*?\$(?P=tag)\$
    | (?P<line>--[^\n]*)
    | (?P<block>/\*)
    | (?P<space>\s+)
    | \w[\w$]*
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
_OPEN = ("'", '"', "$")  # standing alone they begin what has no end
_PARTS = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


def identifier(name: str) -> str:
    if "\0" in name:
        raise ConfigurationError("a name holds a NUL character", remedy="remove it")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Right whatever `standard_conforming_strings` says."""
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return ("E" if "\\" in text else "") + quoted


def name_parts(text: str) -> list[tuple[str, bool]]:
    """`Sales."Odd.Name"` → `[("Sales", False), ("Odd.Name", True)]`: each part, and whether it was quoted."""
    parts, at = [], 0
    while at < len(text):
        match = _PARTS.match(text, at)
        if not match or (match.end() < len(text) and text[match.end()] != "."):
            return [(text, False)]
        parts.append((match[1].replace('""', '"'), True) if match[1] else (match[2].strip(), False))
        at = match.end() + 1
    return parts


def _tokens(text: str, key: str) -> Iterator[tuple[int, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, "the pattern has an alternative for every character"
        start, at = at, match.end()
        if match["block"]:
            at = _end_of_comment(text, start, key)
        elif match["other"] in _OPEN:
            raise ConfigurationError(f"a quote of `{key}` is not closed", remedy="close it")
        elif not match["line"] and not match["space"]:
            yield start, match[0]


def _end_of_comment(text: str, at: int, key: str) -> int:
    """Block comments nest."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise ConfigurationError(f"a comment of `{key}` is not closed", remedy="close it with */")


_FENCE = Fence(_tokens)
subselect, expression = _FENCE.subselect, _FENCE.expression
