"""The interface every source implements (ARCHITECTURE 2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Protocol

from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import (
    Capabilities,
    Cursor,
    ReadResult,
    Slice,
    Stream,
    Window,
    WindowRequest,
)

__all__ = ["Keep", "Reader"]


class Keep(Protocol):
    """Writes values of `source.connection`, by their names, back to where they came from.

    Both raise `CredentialError` where that cannot be, `StorageUnavailable` when it may be later.
    """

    def put(self, name: str, value: str) -> None:
        """Replaces the value."""

    def prove(self, name: str) -> None:
        """Writes what is there, which may be newer than what the reader has."""


class Reader(ABC):
    """A source, opened for one step. `source.connection` arrives with its references resolved.

    Life of a run: `window` and `slices` in plan; `read` once per slice and then `result` in extract;
    `next_cursor` and, after the commit, `committed` in publish. Each of the three may be another process.
    """

    capabilities: ClassVar[Capabilities]
    again: Callable[[], SourceSpec] | None = None  # the source with its secrets as they are now
    keep: Keep | None = None

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        self.source, self.ctx = source, ctx

    @abstractmethod
    def check(self) -> None:
        """Raises what a read would raise: `CredentialError`, `SourceUnavailable`, `ConfigurationError`."""

    @abstractmethod
    def discover(self) -> list[Stream]:
        """Every stream these credentials can see."""

    @abstractmethod
    def describe(self, stream: StreamSpec) -> Stream:
        """The stream as a run will read it: columns of `columns`/`query`, in order. Raises `SourceChanged`."""

    @abstractmethod
    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        """What this run covers, fixed now. `kind="empty"` when there is nothing new."""

    @abstractmethod
    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        """At most `want` slices (never more than 256) that together cover the window exactly once."""

    def estimate(self, stream: StreamSpec, window: Window) -> int | None:
        """About how many bytes the window holds; None when the source does not tell without reading."""
        return None

    @abstractmethod
    def read(self, stream: StreamSpec, piece: Slice) -> Iterator[Batch]:
        """The slice's rows in bounded memory. Raises `Unrepresentable`; never ends early without an error."""

    @abstractmethod
    def result(self) -> ReadResult:
        """What the last `read` came to; valid once its iterator is exhausted."""

    @classmethod
    def next_cursor(cls, window: Window, results: Sequence[ReadResult], base: Cursor | None) -> Cursor | None:
        """The position to commit. Pure: called where the source may not be reachable."""
        if window.cursor is not None:
            return window.cursor
        return next((r.cursor for r in reversed(results) if r.cursor is not None), base)

    def committed(self, cursor: Cursor | None) -> None:  # noqa: B027 - most sources need no acknowledgement
        """Called after the commit that holds the rows: acknowledge a slot, offsets or a queue."""

    def close(self) -> None:  # noqa: B027 - most readers hold nothing between calls
        """Release connections. Safe to call twice."""
