"""What a source offers: streams of typed fields, and the windows, slices and cursors to read them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Capabilities", "Cursor", "Field", "ReadResult", "Slice", "Stream", "Window", "WindowRequest"]


@dataclass(frozen=True)
class Field:
    """A column. `type` is a name of `model.types`; `source_type` is the source's own word for it.

    `renamed_from` are names it had before; `parts_renamed_from` pairs the path of a nested part with one of its former
    names. With `infer` the type of a JSON column is proposed by plan from a sample.
    """

    name: str
    type: str = "string"
    required: bool = False
    description: str = ""
    classification: str = ""
    source_type: str = ""
    timezone: str = "UTC"  # how a value without zone is read where the type is timestamptz
    renamed_from: tuple[str, ...] = ()
    parts_renamed_from: tuple[tuple[str, str], ...] = ()
    infer: bool = False
    declared_in: str = field(default="", compare=False)  # file:line:column


@dataclass(frozen=True)
class Stream:
    """A table, object, file set or endpoint as the source describes it."""

    name: str
    fields: tuple[Field, ...] = ()
    primary_key: tuple[str, ...] = ()
    description: str = ""
    estimated_rows: int | None = None
    estimated_bytes: int | None = None


@dataclass(frozen=True)
class Cursor:
    """A committed position. Ordered cursors carry `{"column", "type", "value"}`;
    others are opaque to all but their reader."""

    value: Mapping[str, Any]


@dataclass(frozen=True)
class WindowRequest:
    """What a run wants: everything (`full`), from `since` on, or the half-open range [start, end) of a backfill."""

    since: Cursor | None = None
    full: bool = False
    start: str | None = None  # ISO timestamp or literal of the cursor's type
    end: str | None = None
    part: bool = False  # whether a read that ends early may be published as far as it came


@dataclass(frozen=True)
class Window:
    """What a run covers, fixed by `plan`. `lo` is inclusive, `hi` exclusive; None is unbounded.

    `lo` already lies `lookback` below the committed cursor. `detail` belongs to the reader (files,
    snapshot ids, tokens) and must be JSON. `cursor` is the position to commit, when it is known before reading.
    """

    kind: Literal["full", "incremental", "range", "empty"] = "full"
    column: str = ""
    type: str = ""
    lo: Any = None
    hi: Any = None
    cursor: Cursor | None = None
    overlap: bool = False  # may contain rows that an earlier run published (lookback, re-delivered files)
    detail: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # what the operator should know, e.g. "held back by transaction of pid 4711"


@dataclass(frozen=True)
class Slice:
    """A part of a stream that one task reads. `spec` is the reader's own and must be JSON.

    `as_text` names columns whose values the fast typed parse could not hold: the reader yields them as
    text and the cast judges row by row.
    """

    index: int
    stream: str
    spec: Mapping[str, Any] = field(default_factory=dict)
    rows: int | None = None
    as_text: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadResult:
    """What reading one slice came to. `publish` refuses `complete=False`."""

    rows: int
    bytes: int = 0
    cursor: Cursor | None = None
    complete: bool = True
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Capabilities:
    """What a connector can do; the engine asks these and never a connector's name."""

    incremental: bool = False
    sliceable: bool = False  # may be read as several slices at once
    threaded: bool = False  # reads one slice with as many threads as the settings allow
    point_in_time: bool = False  # one slice sees one snapshot of the source
    ordered_cursor: bool = True  # False: the cursor is opaque (tokens, offsets, files)
    deletes: bool = False  # yields `delete` operations
    acknowledges: bool = False  # wants `committed()` after publish
    interleaved: bool = False  # one slice may yield batches of several streams
    allowed_in_cloud: bool = True
    extra: str = ""  # the optional extra it needs
