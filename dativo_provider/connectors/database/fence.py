"""A tenant's own `query` and `where`, fenced in: they cannot leave the parentheses that we put around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dativo_provider.errors import ConfigurationError

__all__ = ["Fence", "Tokens"]

# Where each token of a text begins, and the token; white space and comments are left out. The second argument is the
# key that the text stands at. Raises `ConfigurationError` for what has no end.
Tokens = Callable[[str, str], Iterator[tuple[int, str]]]
_READS = ("select", "with", "values", "table")


@dataclass(frozen=True)
class Fence:
    """`tokens` are the dialect's; `refuse` looks at each with the one before it, both in small letters."""

    tokens: Tokens
    refuse: Callable[[str, str, str], None] | None = None

    def subselect(self, query: str) -> str:
        """`(query) as source`. Raises `ConfigurationError` unless it is one statement that reads."""
        text = self._fenced(query, "query")
        first = next((token.lower() for _, token in self._tokens(text, "query") if token != "("), "")
        if first not in _READS:
            raise ConfigurationError("`query` is not a SELECT", remedy="write one SELECT, WITH or VALUES statement")
        return f"({text}\n) as source"

    def expression(self, where: str) -> str:
        """`(where)`."""
        return f"({self._fenced(where, 'where')}\n)"

    def _fenced(self, text: str, key: str) -> str:
        """One statement or expression, without its final semicolon."""
        depth, end, before = 0, len(text), ""
        for at, token in self._tokens(text, key):
            if end < at:
                raise ConfigurationError(
                    f"`{key}` holds more than one statement", remedy="write one statement without ;"
                )
            if self.refuse:
                self.refuse(token.lower(), before, key)
                before = token.lower()
            depth += {"(": 1, ")": -1}.get(token, 0)
            if token == ";":
                end = at
            if depth < 0:
                break
        if depth:
            raise ConfigurationError(f"a parenthesis of `{key}` is not closed or not opened", remedy="balance them")
        return text[:end]

    def _tokens(self, text: str, key: str) -> Iterator[tuple[int, str]]:
        if "\0" in text:
            raise ConfigurationError(f"`{key}` holds a NUL character", remedy="remove it")
        return self.tokens(text, key)
