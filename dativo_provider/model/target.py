"""The interface every place rows are published to implements (ARCHITECTURE 2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dativo_provider.errors import Unsupported
from dativo_provider.model.run import Lane, Manifest, Plan, Published, StagedFile, State
from dativo_provider.model.stream import Cursor, Field

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.model.job import JobSpec, StreamSpec

__all__ = ["FEW_KEYS", "PublishedRows", "StagedFileWriter", "StagedKind", "TableVersion", "Target", "TargetTable"]

FEW_KEYS = 1000  # more are not asked bloom filters for: some would be found in every one


# Rows for the table; the same in the order in which they come, to be told apart by key later; marks of keys.
StagedKind = Literal["data", "changes", "marks", "quarantine"]


class StagedFileWriter(ABC):
    """Rolls invisible Parquet files at the target size; one partition tuple per file; bounded memory."""

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None: ...

    @abstractmethod
    def close(self) -> tuple[StagedFile, ...]: ...

    @abstractmethod
    def abort(self) -> None:
        """Drop what is open; files already written are left for the sweep."""


class TargetTable:
    """Where a stream's rows will go, as `plan` froze it."""

    def __init__(self, table: str, location: str, quarantine_table: str, quarantine_location: str) -> None:
        self.table, self.location = table, location
        self.quarantine_table, self.quarantine_location = quarantine_table, quarantine_location


@dataclass(frozen=True)
class PublishedRows:
    """Rows of `files` files, of which some were not opened: partitions and bounds, or bloom filters, ruled them out."""

    rows: pa.RecordBatchReader
    files: int = 0
    out_of_bounds: int = 0
    out_of_filters: int = 0

    def __str__(self) -> str:
        ruled_out = {"bounds or partitions": self.out_of_bounds, "bloom filters": self.out_of_filters}
        why = " and ".join(f"{what} rule out {files}" for what, files in ruled_out.items() if files)
        read = self.files - self.out_of_bounds - self.out_of_filters
        return f"{read} of {self.files} published files read{f' ({why})' if why else ''}" if self.files else ""


@dataclass(frozen=True)
class TableVersion:
    """One version of a table for ever: `read` gives the rows of some columns, in `fields`' types;
    `within(ranges, keys)` those that may hold one of some keys, as `Target.published_within` does."""

    name: str
    version: str
    fields: tuple[Field, ...]
    read: Callable[[Sequence[Field]], Iterator[pa.RecordBatch]]
    within: Callable[[Mapping[str, tuple[Any, Any]], Mapping[str, Sequence[Any]]], PublishedRows]


class Target(ABC):
    """Opened for one step from the job and the deployment's settings."""

    @abstractmethod
    def prepare(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> TargetTable:
        """Make sure namespace, table and quarantine table exist, belong to this tenant and fit `fields`.

        Raises `ConfigurationError` (another tenant's table, a clashing job), `DataError` (a schema change
        that would lose data) or `StorageUnavailable`.
        """

    def columns(self, job: JobSpec, stream: StreamSpec) -> tuple[Field, ...] | None:
        """The columns the table has now, without Dativo's own; None when there is no table."""
        return None

    def changes(self, job: JobSpec, stream: StreamSpec, fields: Sequence[Field]) -> tuple[str, ...]:
        """What `prepare` would change of an existing table's schema, in words. Raises what it would."""
        return ()

    def version(self, job: JobSpec, table: str, version: str = "") -> TableVersion:
        """A table (`[<namespace>.]<table>`) as it is now, or as it was at `version`, for lookups.

        Raises `ConfigurationError` (no such table, another tenant's), `SourceChanged` (a version that has expired),
        `Unsupported` where there is no catalog.
        """
        raise Unsupported(
            f"target '{job.target.connector}' has no catalog to look tables up in",
            where=job.path or job.dag_id,
            remedy="give the lookup a file: `path:`",
        )

    @abstractmethod
    def state(self, job: JobSpec, stream: StreamSpec, lane: Lane) -> State: ...

    def lanes(self, job: JobSpec, stream: StreamSpec) -> Mapping[str, int]:
        """`seq` of the lanes of this stream that have published, by `Lane.suffix`."""
        return {}

    def unfinished(self, job: JobSpec, stream: StreamSpec, state: State) -> bool:
        """Whether rows of the last publish are still to come into the quarantine; the next run brings them."""
        return False

    def set_state(self, job: JobSpec, stream: StreamSpec, lane: Lane, before: State, after: State) -> None:
        """Moves a lane by hand, from `before` to `after` (`before.step(...)`), in a commit of its own.

        Raises `Fenced` when the lane is no longer at `before`.
        """
        raise Unsupported(
            f"the state of target '{job.target.connector}' cannot be changed by hand",
            where=job.path or job.dag_id,
            remedy="run once with --full-refresh",
        )

    @abstractmethod
    def stage(self, plan: Plan, piece: int, attempt: str, kind: StagedKind) -> StagedFileWriter: ...

    def placed(self, plan: Plan, files: Sequence[StagedFile]) -> bool:
        """Whether staged `changes` may be published as they are, each file being of one partition."""
        return True

    @abstractmethod
    def read_staged(
        self, plan: Plan, files: Sequence[StagedFile], columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Rows of staged files, published or not, in the order of `files`; all columns when None."""

    def facts(self, plan: Plan, files: Sequence[StagedFile], columns: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
        """What is known for certain of columns of staged files without reading them: `nulls`, `min`, `max` (None where
        there is no value). What is not certain is not there."""
        return {}

    @abstractmethod
    def published_keys(self, plan: Plan, columns: Sequence[str], low: Any, high: Any) -> pa.RecordBatchReader:
        """`columns` of published rows whose cursor (`spec.incremental.cursor_field`) lies in [low, high], both
        inclusive; every row when both are None."""

    @abstractmethod
    def published_within(
        self, plan: Plan, ranges: Mapping[str, tuple[Any, Any]], keys: Mapping[str, Sequence[Any]] | None = None
    ) -> PublishedRows:
        """The columns of `ranges` of rows that were published before this plan's own commit and lie in all of the
        ranges, both ends inclusive. Files that cannot hold such a row are not read; nor, with `keys` (few values by
        column, position by position one key), those that hold none of them. Raises `SourceChanged` when what was there
        before that commit has expired."""

    @abstractmethod
    def quarantined_ids(self, plan: Plan) -> frozenset[str]:
        """Row ids of this stream's rows that are in the quarantine already."""

    @abstractmethod
    def has_rows(self, plan: Plan) -> bool:
        """Whether the table holds any row."""

    @abstractmethod
    def publish(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        """Main commit first, quarantine second, both idempotent by plan id (ARCHITECTURE 4.3-4.6).

        Raises `Fenced` when another run moved the lane, `StorageUnavailable` when the outcome stays unknown.
        """

    def waiting(self, job: JobSpec, stream: StreamSpec) -> str:
        """The plan id of a run of this stream that waits for its approval; empty when none does."""
        return ""

    def approve(self, plan: Plan, manifests: Sequence[Manifest], cursor: Cursor | None) -> Published:
        """Publishes what waits on the plan's branch. Raises `ConfigurationError` when nothing does, `Fenced`."""
        raise _no_branches(plan)

    def reject(self, plan: Plan) -> None:
        """Drops the plan's branch; once more changes nothing. Raises `ConfigurationError` when nothing waits there."""
        raise _no_branches(plan)

    @abstractmethod
    def sweep(self, plan: Plan) -> int:
        """Remove the staged files of a plan that will never be published; the number of files removed."""

    @abstractmethod
    def sweep_old(self, plan: Plan) -> int:
        """Remove what earlier runs of this stream staged, never published and left for longer than three days."""


def _no_branches(plan: Plan) -> Unsupported:
    return Unsupported(
        f"target '{plan.job.target.connector}' has no branches", where=plan.table, remedy="use `publish: main`"
    )
