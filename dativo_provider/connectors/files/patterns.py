"""Which objects a path means: one object, a folder, or a pattern, matched by the whole key."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["Pattern", "expression", "patterns_of"]

_MAGIC = re.compile(r"[*?\[]")
_HIDDEN = re.compile(r"(^|/)[._][^/]*")  # _SUCCESS, _temporary/…, .crc: what writers leave beside their files
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?[^\]/]+\]|[^*?\[]+|\[")
_WORDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]", "[": r"\["}


class Pattern:
    """`prefix` is what every match begins with; it is all that a store can look for."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        found = _MAGIC.search(uri)
        self.plain = found is None
        self.prefix = uri if found is None else uri[: found.start()]
        rest = uri[len(self.prefix) :]
        self._regex = re.compile(expression(rest), re.DOTALL)
        self._sees_hidden = bool(_HIDDEN.search(rest))

    def matches(self, uri: str) -> bool:
        """Names that begin with `.` or `_` are seen only by patterns that say that sign."""
        rest = uri[len(self.prefix) :]
        if not uri.startswith(self.prefix) or rest.endswith("/") or self._regex.fullmatch(rest) is None:
            return False
        begin = self.prefix.rpartition("/")[2]
        return self._sees_hidden or bool(begin[:1] in ("_", ".")) or not _HIDDEN.search(begin + rest)


def expression(pattern: str) -> str:
    """The regular expression of what `pattern` matches."""
    return "".join(map(_expression, _TOKEN.findall(pattern)))


def _expression(token: str) -> str:
    if token in _WORDS:
        return _WORDS[token]
    if token.startswith("[") and len(token) > 2:
        return (
            f"[{'^' if token[1] == '!' else ''}{re.escape(token[1:-1].removeprefix('!')).replace(chr(92) + '-', '-')}]"
        )
    return re.escape(token)


def patterns_of(wanted: str) -> Iterator[Pattern]:
    for each in filter(None, map(str.strip, wanted.split(","))):
        yield Pattern(each)
