"""Digests that show what was changed in exported evidence: each row's is over its cells and the digest before it.

A changed, lost, added or moved row breaks the chain from there on. Who makes a whole new chain, or cuts rows off its
end, ends with another last digest: so that one is kept apart from the file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["first_broken", "sealed"]


def sealed(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The same rows, each with its `digest`."""
    digest = ""
    for row in rows:
        digest = _digest(digest, row)
        yield {**row, "digest": digest}


def first_broken(rows: Iterable[Mapping[str, Any]]) -> tuple[int, int, str]:
    """How many rows there are, which of them (from 1) is the first that does not fit its digest (0: none), and the
    last digest."""
    digest, count, broken = "", 0, 0
    for count, row in enumerate(rows, 1):
        digest = _digest(digest, row)
        broken = broken or (0 if digest == row.get("digest") else count)
    return count, broken, digest


def _digest(before: str, row: Mapping[str, Any]) -> str:
    """Over text, which is what CSV keeps of a value."""
    cells = [before, *(f"{name}={_text(value)}" for name, value in row.items() if name != "digest")]
    return hashlib.sha256(json.dumps(cells, ensure_ascii=False).encode()).hexdigest()


def _text(value: Any) -> str:
    return "" if value is None else str(value)
