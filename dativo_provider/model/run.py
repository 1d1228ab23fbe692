"""A run on paper: what was asked, the frozen plan, and what each step wrote down for the next."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self, TypeVar, cast

from pydantic import TypeAdapter

from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec, Verdict
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.lookup import LookupPin
from dativo_provider.model.schema import ColumnDrift
from dativo_provider.model.stream import Cursor, Field, ReadResult, Slice, Window
from dativo_provider.vocabulary import LaneKind, RunStatus

__all__ = [
    "REPLAYS", "Lane", "Manifest", "Plan", "Published", "ReplayRequest", "RunRecord", "RunRequest", "StagedFile",
    "State", "data_time", "dump", "load", "new_id",
]  # fmt: skip


T = TypeVar("T")


_TIMES = ("", "date", "timestamp", "timestamptz")
_ADAPTERS: dict[type, TypeAdapter[Any]] = {}


def _adapter(kind: type) -> TypeAdapter[Any]:
    """Building one costs milliseconds, so each kind's is kept."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def dump(value: Any) -> bytes:
    """Any dataclass of this package as JSON."""
    return _adapter(type(value)).dump_json(value)


def load(kind: type[T], data: bytes | str) -> T:
    """The inverse of `dump`. Raises `pydantic.ValidationError` when `data` is not a `kind`."""
    loaded: T = _adapter(kind).validate_json(data)
    return loaded


def new_id(now: datetime) -> str:
    """What a run, or a change by hand, is known by in files and state; safe in paths."""
    return f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def data_time(window: Window, started_at: str) -> str:
    """When what a run brought belongs to (ISO): a backfill's is its interval, whenever it ran."""
    if window.kind != "range" or not isinstance(window.lo, str) or window.type not in _TIMES:
        return started_at
    try:
        start = datetime.fromisoformat(window.lo)
    except ValueError:
        return started_at
    return start.replace(tzinfo=start.tzinfo or UTC).isoformat()


@dataclass(frozen=True)
class Lane:
    """Live runs, each backfill and each replay keep their own state record."""

    kind: LaneKind = "live"
    id: str = ""

    @property
    def suffix(self) -> str:
        return "" if self.kind == "live" else f".{self.kind}.{self.id}"

    @classmethod
    def of(cls, suffix: str) -> Self:
        """The inverse of `suffix`."""
        kind, _, name = suffix.removeprefix(".").partition(".")
        return cls(cast("LaneKind", kind), name) if kind else cls()


REPLAYS = "inbox"


@dataclass(frozen=True)
class ReplayRequest:
    """Rows of the inbox, chosen and written down before the plan: `folder` holds them, `id` is what they are claimed
    by. `lanes` says where each lane stood *before* they were chosen: who has moved since may have brought them."""

    id: str
    folder: str
    lanes: Mapping[str, int] = field(default_factory=dict)
    skip_checks: tuple[str, ...] = ()
    by: str = ""


@dataclass(frozen=True)
class RunRequest:
    """What started this run. `start`/`end` make it a backfill lane; `limit` and `dry_run` never publish."""

    run_id: str = ""
    full_refresh: bool = False
    start: str | None = None
    end: str | None = None
    dry_run: bool = False
    limit: int | None = None
    attempt: int = 1
    replay: ReplayRequest | None = None

    @property
    def lane(self) -> Lane:
        """Replays of a stream share one lane: of two that chose the same rows, one is fenced."""
        if self.replay:
            return Lane("replay", REPLAYS)
        if self.start or self.end:
            return Lane("backfill", f"{self.start or ''}_{self.end or ''}")
        return Lane()


@dataclass(frozen=True)
class State:
    """One lane's record in the table property `dativo.state.<job id>.<stream>` (ARCHITECTURE 4.3)."""

    seq: int = 0
    cursor: Cursor | None = None
    runs: tuple[str, ...] = ()  # the last 32 plan ids, oldest first
    pending: str = ""  # URI of a quarantine manifest still to be appended
    contract_version: str = ""
    rewound: bool = False  # set back by hand: what comes next may have been published before

    def step(self, run_id: str) -> Self:
        """The record after something else than a run has moved the lane: whoever planned from this one is fenced."""
        return replace(self, seq=self.seq + 1, runs=(*self.runs, run_id)[-32:])

    def after(self, plan_id: str, cursor: Cursor | None, contract_version: str, pending: str = "") -> Self:
        return type(self)(self.seq + 1, cursor, (*self.runs, plan_id)[-32:], pending, contract_version)


@dataclass(frozen=True)
class StagedFile:
    """A Parquet file nothing can see yet. `path` has a scheme; `partition` holds transformed values by
    partition field name; `stats` are the column statistics of the footer in the lake's own JSON."""

    path: str
    rows: int
    bytes: int
    partition: Mapping[str, Any] = field(default_factory=dict)
    stats: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What one winning attempt at one slice came to; the only source `audit` and `publish` take files from."""

    plan_id: str
    slice: int
    attempt: str
    files: tuple[StagedFile, ...] = ()
    quarantine: tuple[StagedFile, ...] = ()
    books: Books = field(default_factory=Books)
    results: tuple[CheckResult, ...] = ()
    read: ReadResult = ReadResult(rows=0)
    seconds: float = 0.0
    marks: tuple[StagedFile, ...] = ()  # keys of rows the source has deleted, or that must not count as missing
    deletes: int = 0  # how many of the marks say that a row is gone
    unread: int = 0  # rows set aside of which not even the key is known


@dataclass(frozen=True)
class Plan:
    """Everything later steps need, frozen. Written once as `plan.json` under `folder`."""

    plan_id: str
    run_id: str
    job: JobSpec
    stream: str
    lane: Lane
    request: RunRequest
    table: str  # `<namespace>.<table>`
    quarantine_table: str
    table_location: str
    quarantine_location: str
    folder: str  # URI; holds plan.json, manifests/, verdict.json, published.json
    fields: tuple[Field, ...]  # of the table, system columns excluded, transform columns included
    checks: tuple[CheckSpec, ...]
    window: Window
    slices: tuple[Slice, ...]
    base: State
    created_at: str  # ISO, UTC
    home: str = ""  # identity of DATIVO_HOME when catalog or warehouse is embedded
    source_fields: tuple[Field, ...] = ()
    drift: tuple[ColumnDrift, ...] = ()
    table_changes: tuple[str, ...] = ()  # what `plan` changed of the table's schema, or would in a dry run
    cursor_in_state: bool = False  # plan.json leaves out the large parts of `base.cursor`: the table's state has them
    lookups: tuple[LookupPin, ...] = ()
    lanes: Mapping[str, int] | None = None  # `seq` of every lane of the stream, by suffix; None: not looked at

    @property
    def spec(self) -> StreamSpec:
        return self.job.stream(self.stream)

    @property
    def state_key(self) -> str:
        return f"dativo.state.{self.job.id}.{self.stream}{self.lane.suffix}"

    @property
    def path(self) -> str:
        return f"{self.folder}/plan.json"


@dataclass(frozen=True)
class Published:
    """`outcome` is `already` when this very plan had committed before (a late twin, a cleared task),
    `waiting` when it is on its branch until somebody approves it (`rejected`: does not). `decided_by` names them."""

    outcome: Literal["committed", "already", "waiting", "rejected", "blocked", "dry_run"]
    snapshot_id: int | None = None
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    ignored: int = 0  # older than the row of their key that the table has
    quarantined: int = 0
    table: str = ""
    metadata_location: str = ""
    seconds: float = 0.0
    decided_by: str = ""


@dataclass(frozen=True)
class RunRecord:
    """One stream's run as the metadata store keeps it and `dativo runs` shows it."""

    plan_id: str
    run_id: str
    tenant: str
    job: str
    stream: str
    status: RunStatus
    started_at: str
    finished_at: str = ""
    table: str = ""
    snapshot_id: int | None = None
    window: Window = Window()
    books: Books = field(default_factory=Books)
    verdict: Verdict | None = None
    contract_version: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    folder: str = ""
    decided_by: str = ""  # who approved or rejected it (`publish: branch`)
    lane: LaneKind = "live"
    drift: tuple[ColumnDrift, ...] = ()
    table_changes: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)  # for history; only where it is made again of a folder
