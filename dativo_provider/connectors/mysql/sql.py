"""Writing SQL: names, literals, and a tenant's own `query` and `where` fenced in.

https://dev.mysql.com/doc/refman/8.4/en/language-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
_READS = ("select", "with", "values", "table")
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


def subselect(query: str) -> str:
    """`(query) as source`, after making sure that the text cannot leave its parentheses."""
    text = _fenced(query, "query")
    first = next((token.lower() for _, token in _tokens(text, "query") if token != "("), "")
    if first not in _READS:
        raise ConfigurationError("`query` is not a SELECT", remedy="write one SELECT, WITH or VALUES statement")
    return f"({text}\n) as source"


def expression(where: str) -> str:
    """`(where)`, which cannot leave its parentheses."""
    return f"({_fenced(where, 'where')}\n)"


def _fenced(text: str, key: str) -> str:
    """One statement or expression, without its final semicolon. Raises `ConfigurationError`."""
    depth, end, before = 0, len(text), ""
    for at, token in _tokens(text, key):
        if end < at:
            raise ConfigurationError(f"`{key}` holds more than one statement", remedy="write one statement without ;")
        _refuse(token.lower(), before, key)
        before = token.lower()
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == ";":
            end = at
        if depth < 0:
            break
    if depth:
        raise ConfigurationError(f"a parenthesis of `{key}` is not closed or not opened", remedy="balance them")
    return text[:end]


def _refuse(token: str, before: str, key: str) -> None:
    locking = (before, token) in (("for", "update"), ("for", "share"), ("lock", "in"))
    if token in _NEVER or locking:
        word = f"{before} {token}" if locking else token
        raise ConfigurationError(f"`{key}` says {word.upper()}", remedy="a source query must only read")


def _tokens(text: str, key: str) -> Iterator[tuple[int, str]]:
    """Where each token begins, and the token; comments and white space are left out."""
    if "\0" in text:
        raise ConfigurationError(f"`{key}` holds a NUL character", remedy="remove it")
    for match in _TOKEN.finditer(text):
        if match["code"]:
            raise ConfigurationError(f"a comment of `{key}` holds code", remedy="write it without /*! */")
        if match["other"] in ("'", '"', "`"):
            raise ConfigurationError(f"a quote of `{key}` is not closed", remedy="close it")
        if match["other"] == "/" and text.startswith("/*", match.start()):
            raise ConfigurationError(f"a comment of `{key}` is not closed", remedy="close it with */")
        if not match["line"] and not match["space"] and not match["block"]:
            yield match.start(), match[0]
