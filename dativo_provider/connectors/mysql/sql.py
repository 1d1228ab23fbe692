"""Writing SQL: names, literals, and a tenant's own `query` and `where` fenced in.

https://dev.mysql.com/doc/refman/8.4/en/language-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dativo_provider.connectors.database.fence import Fence
from dativo_provider.errors import ConfigurationError

__all__ = ["expression", "identifier", "literal", "name_parts", "subselect"]

# With NO_BACKSLASH_ESCAPES and ANSI_QUOTES off, as the session sets them.
_TOKEN = re.compile(
    r"""
      '(?:[^'\\]|\\.|'')*'
    | "(?:[^"\\]|\\.|"")*"
    | `(?:[^`]|``)*`
    | (?P<line>\#[^\n]*|--(?=[\s\x00-\x1f]|$)[^\n]*)
    | (?P<code>/\*[!M])
    | (?P<block>/\*.*?\*/)
    | (?P<space>\s+)
    | @+[\w.$]+
    | \w[\w$]*
    | :=
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
# What a reading statement must not do: write files or variables, lock, wait for others, or read the server's files.
_NEVER = frozenset({"into", "load_file", "get_lock", "release_lock", "benchmark", ":=", "procedure"})
_PARTS = re.compile(r"`((?:[^`]|``)+)`|([^`.]+)")


def identifier(name: str) -> str:
    if "\0" in name:
        raise ConfigurationError("a name holds a NUL character", remedy="remove it")
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """Right whatever the session's `sql_mode` and character set are."""
    return f"_utf8mb4 x'{text.encode().hex()}'" if not text.isascii() or "\\" in text or "'" in text else f"'{text}'"


def name_parts(text: str) -> list[str]:
    """`shop.`odd.name`` → `["shop", "odd.name"]`."""
    parts, at = [], 0
    while at < len(text):
        match = _PARTS.match(text, at)
        if not match or (match.end() < len(text) and text[match.end()] != "."):
            return [text]
        parts.append(match[1].replace("``", "`") if match[1] else match[2].strip())
        at = match.end() + 1
    return parts


def _refuse(token: str, before: str, key: str) -> None:
    locking = (before, token) in (("for", "update"), ("for", "share"), ("lock", "in"))
    if token in _NEVER or locking:
        word = f"{before} {token}" if locking else token
        raise ConfigurationError(f"`{key}` says {word.upper()}", remedy="a source query must only read")


def _tokens(text: str, key: str) -> Iterator[tuple[int, str]]:
    for match in _TOKEN.finditer(text):
        if match["code"]:
            raise ConfigurationError(f"a comment of `{key}` holds code", remedy="write it without /*! */")
        if match["other"] in ("'", '"', "`"):
            raise ConfigurationError(f"a quote of `{key}` is not closed", remedy="close it")
        if match["other"] == "/" and text.startswith("/*", match.start()):
            raise ConfigurationError(f"a comment of `{key}` is not closed", remedy="close it with */")
        if not match["line"] and not match["space"] and not match["block"]:
            yield match.start(), match[0]


_FENCE = Fence(_tokens, _refuse)
subselect, expression = _FENCE.subselect, _FENCE.expression
