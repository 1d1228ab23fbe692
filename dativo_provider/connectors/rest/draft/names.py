"""Names of streams, from the addresses of their lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dativo_provider.connectors.rest.draft.draft import slug

__all__ = ["distinct"]

# Parts of an address that say how a list is asked for, not of what.
_GENERIC = re.compile(r"search|list|query|find|filter|records?|items?|entries|all|index|data|api|rest|v?\d+[\d_]*")


def distinct(addresses: Sequence[str]) -> list[str]:
    """One name for each: `/experiments/search` is `experiments`, and no two are the same."""
    made: list[str] = []
    for address in addresses:
        made.append(next(name for name in _candidates(address) if name not in made))
    return made


def _candidates(address: str) -> Iterator[str]:
    parts = [slug(part.partition(".")[0]) for part in reversed(address.split("/")) if part] or ["items"]
    telling = [part for part in parts if not _GENERIC.fullmatch(part.removeprefix("api_"))] or parts[:1]
    for count in range(1, len(telling) + 1):
        yield "_".join(reversed(telling[:count]))
    yield from (f"{telling[0]}_{number}" for number in range(2, 10_000))
