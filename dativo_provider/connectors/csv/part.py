"""A part of a file that one slice reads."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """Whole records: the bytes [begin, end) of a file, of which the first begins on `line`, and their hash.

    `whole` is the hash of the file.
    """

    begin: int
    end: int
    line: int
    sha256: str
    whole: str
