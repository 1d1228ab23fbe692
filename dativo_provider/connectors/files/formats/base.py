"""What a format of files can do, whatever place the bytes come from."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, BinaryIO, ClassVar, Protocol, TypeVar

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Field

__all__ = ["Asked", "Division", "Format", "Head", "Span", "lots", "options_of", "whole", "word"]


T = TypeVar("T")


@dataclass(frozen=True)
class Head:
    """The columns of a file in its order, and their types: its own, or proposed from a sample.

    `sparse`: a record may lack any column, so what the sample does not show may follow.
    """

    names: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    typed: bool = False
    sparse: bool = False


@dataclass(frozen=True)
class Span:
    """The part of a file that one slice reads, [begin, end) in the format's own units. Its first row is on `line`."""

    begin: int
    end: int
    line: int = 0
    first: bool = False


@dataclass(frozen=True)
class Division:
    """A file of `size` bytes that is to be read in at most `want` parts. `still_wanted` may raise."""

    origin: str
    size: int
    want: int
    still_wanted: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class Asked:
    """What is to be read of a file. `pool` parses `threads` blocks of about `block_bytes` at once."""

    stream: StreamSpec
    origin: str
    pool: ThreadPoolExecutor
    threads: int = 1
    block_bytes: int = 4 << 20
    as_text: tuple[str, ...] = ()
    unknown: set[str] = field(default_factory=set)  # columns found that nobody had told of
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def fields(self) -> dict[str, Field]:
        return {each.name: each for each in self.stream.contract.fields}

    def wanted(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if not self.stream.columns or name in self.stream.columns]


class Format(Protocol):
    """`jumps`: it needs a file that can be sought in; else it reads from the first byte on, packed or not.

    Raises `DataError` with the file's name for one that is broken.
    """

    jumps: ClassVar[bool]

    def head(self, file: BinaryIO, where: str, infer: bool) -> Head: ...

    def spans(self, file: BinaryIO, asked: Division) -> list[Span]:
        """Parts of about equal size that together are the file; none where it cannot be split.

        `batches` is given a file that can be sought in for each of them.
        """

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]: ...


def lots(sized: Iterable[tuple[T, float]], rows: int, size: float) -> Iterator[list[T]]:
    """Lists of at most `rows`, each ended by the one that makes it `size` bytes; none is empty."""
    lot: list[T] = []
    held = 0.0
    for each, its in sized:
        lot.append(each)
        held += its
        if len(lot) >= rows or held >= size:
            yield lot
            lot, held = [], 0.0
    if lot:
        yield lot


def options_of(kind: str, given: Mapping[str, Any], known: Mapping[str, Callable[[str, Any], Any]]) -> dict[str, Any]:
    """The values of `given`, read by the functions of `known`. Raises `ConfigurationError` for a name it lacks."""
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            has = ", ".join(sorted(known)) or "none"
            raise ConfigurationError(f"{kind} files have no option '{name}'", remedy=f"{hint}known: {has}")
    return {name: known[name](name, value) for name, value in given.items()}


def whole(low: int, high: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ConfigurationError(
                f"option '{name}' cannot be {value!r}", remedy=f"give a whole number of {low} to {high}"
            )
        return value

    return read


def word(*words: str) -> Callable[[str, Any], str]:
    """One of `words`."""

    def read(name: str, value: Any) -> str:
        if value not in words:
            raise ConfigurationError(f"option '{name}' cannot be {value!r}", remedy=f"use one of: {', '.join(words)}")
        return str(value)

    return read
