"""A job as the engine sees it: resolved, merged, typed, and free of secrets (references stay references)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dativo_provider.model.alerts import AlertSpec
from dativo_provider.model.checks import Rule
from dativo_provider.model.handling import Handling
from dativo_provider.model.lookup import LookupSpec
from dativo_provider.model.maintenance import MaintenanceSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.notices import ChannelSpec, NotificationSpec
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.sla import SlaSpec
from dativo_provider.model.stream import Field
from dativo_provider.vocabulary import OnChangedFile, OnTimeout, PublishTo, SchemaValidation, WriteMode

__all__ = [
    "ApprovalSpec",
    "ContractSpec",
    "DeleteFlag",
    "Enforcement",
    "HistorySpec",
    "IncrementalSpec",
    "JobSpec",
    "PartitionSpec",
    "RetrySpec",
    "ScheduleSpec",
    "SourceSpec",
    "StreamSpec",
    "TargetSpec",
    "TransformSpec",
]


@dataclass(frozen=True)
class ContractSpec:
    """The contract of one stream: `fields` in table order, its rules as written, who owns it.

    No fields: the source's own columns are the schema."""

    name: str
    version: str = "0.0.0"
    id: str = ""
    status: str = "active"
    path: str = ""
    fields: tuple[Field, ...] = ()
    primary_key: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    description: str = ""
    owner: str = ""
    domain: str = ""
    data_product: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)  # `dativo.*` tags for table properties (SN-08)
    keep_original: bool = False  # quarantine keeps masked columns in clear
    declared_in: str = field(default="", compare=False)  # file:line:column of the table's columns
    dropped: tuple[str, ...] = ()  # columns that leave the table's current schema
    schema_policies: SchemaPolicies = SchemaPolicies()
    handling: Handling = Handling()


@dataclass(frozen=True)
class IncrementalSpec:
    """`strategy` is one of the words of REQUIREMENTS 3.1; readers see `cursor_field` and seconds."""

    strategy: str = "full_refresh"
    cursor_field: str = ""
    lookback_seconds: int = 0
    lag_seconds: int = 60


@dataclass(frozen=True)
class SourceSpec:
    """Where to read. `connection` values may hold `${VAR}` and `${SECRET:NAME}`, resolved by the pipeline only."""

    connector: str
    connection: Mapping[str, Any] = field(default_factory=dict)
    connection_id: str = ""  # an Airflow connection
    options: Mapping[str, Any] = field(default_factory=dict)
    roots: tuple[str, ...] = ()  # folders or prefixes a file connector may read below
    pool_size: int = 5  # connections at once, over all tasks that Airflow runs for it
    rate_limits: Mapping[str, Any] = field(default_factory=dict)  # of an API, in the job's words


@dataclass(frozen=True)
class StreamSpec:
    """One stream of a job and the table it ends in. `object` is a table, an endpoint or a path pattern."""

    name: str
    object: str
    table: str
    contract: ContractSpec
    columns: tuple[str, ...] = ()
    where: str = ""
    query: str = ""
    key: tuple[str, ...] = ()
    incremental: IncrementalSpec = IncrementalSpec()
    on_changed_file: OnChangedFile = "refuse"
    options: Mapping[str, Any] = field(default_factory=dict)
    documents: bool = False  # rows are documents, as the source makes them

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that tell one row from another: the key, else the contract's primary key."""
        return self.key or self.contract.primary_key


@dataclass(frozen=True)
class PartitionSpec:
    """`transform` is identity, day, month, hour, bucket[N] or truncate[W] of `column`."""

    column: str
    transform: str = "identity"


@dataclass(frozen=True)
class DeleteFlag:
    """Source rows whose `column` is `value` say that the row of their key is gone."""

    column: str
    value: bool | int | str = True


@dataclass(frozen=True)
class HistorySpec:
    """Columns that mode `scd2` adds. `track`: a change of these makes a new version; empty: of any column."""

    valid_from: str = "valid_from"
    valid_to: str = "valid_to"
    is_current: str = "is_current"
    track: tuple[str, ...] = ()


@dataclass(frozen=True)
class ApprovalSpec:
    """How long a run of a job with `publish: branch` waits in Airflow, and what happens then."""

    timeout_seconds: int = 7 * 86_400
    on_timeout: OnTimeout = "wait"


@dataclass(frozen=True)
class TargetSpec:
    """Where to publish. Empty `catalog`/`warehouse` means the deployment's (`Settings`).

    `order_by` says which of two versions of a row is the newer one. `replace_by` is what a `delete_insert` replaces;
    empty: the run's window, or without one the partitions it has rows of.
    """

    connector: str = "iceberg"
    catalog: Mapping[str, Any] = field(default_factory=dict)
    warehouse: str = ""
    namespace: str = ""
    branch: str = ""
    publish: PublishTo = "main"
    approval: ApprovalSpec = ApprovalSpec()
    mode: WriteMode = "append"
    partitioning: tuple[PartitionSpec, ...] = ()
    file_size_mb: int = 150
    compression: str = "zstd"
    system_columns: bool = True
    allow_empty_replace: bool = False
    schema_policies: SchemaPolicies = SchemaPolicies()  # the job's own, over the contract's
    order_by: str = ""
    delete_flag: DeleteFlag | None = None
    delete_missing: bool = False  # a full load deletes the rows it does not bring
    allow_mass_delete: bool = False
    replace_by: Literal["", "partition", "window"] = ""
    history: HistorySpec = HistorySpec()
    state_encryption: Mapping[str, Any] = field(default_factory=dict)  # key, key_id, old_keys; keys are references
    connection: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TransformSpec:
    """One entry of `transformations:`. `windowed` ones see the whole run, others one row."""

    name: str
    column: str
    expression: str
    type: str = ""  # canonical type of the new column; empty: as DuckDB infers it
    windowed: bool = False
    declared_in: str = ""


@dataclass(frozen=True)
class ScheduleSpec:
    """Cron XOR seconds, or neither (manual). `timezone` is an IANA name."""

    cron: str = ""
    interval_seconds: int = 0
    enabled: bool = True
    timezone: str = "UTC"
    max_concurrent_runs: int = 1
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RetrySpec:
    """Delay of attempt n is initial × multiplier^n, capped; seconds."""

    max_retries: int = 3
    initial_delay_seconds: float = 5
    max_delay_seconds: float = 300
    backoff_multiplier: float = 2.0
    retryable_error_patterns: tuple[str, ...] = ()

    def delay(self, attempt: int) -> float:
        """Seconds to wait after attempt `attempt`, the first being 1."""
        wanted = self.initial_delay_seconds * self.backoff_multiplier ** (attempt - 1)
        return min(wanted, self.max_delay_seconds)


Enforcement = Literal["strict", "warn", "disabled"]


@dataclass(frozen=True)
class JobSpec:
    """`id` names the job in state for ever; `name` is the file's stem; the DAG is `<tenant>.<name>`."""

    tenant: str
    name: str
    id: str
    source: SourceSpec
    target: TargetSpec
    streams: tuple[StreamSpec, ...]
    transforms: tuple[TransformSpec, ...] = ()
    lookups: tuple[LookupSpec, ...] = ()
    schedule: ScheduleSpec = ScheduleSpec()
    retry: RetrySpec = RetrySpec()
    schema_validation: SchemaValidation = "quarantine"
    enforcement: Enforcement = "strict"
    environment: str = ""
    path: str = ""
    description: str = ""
    maintenance: MaintenanceSpec = MaintenanceSpec()
    slices: int = 0  # parts of one stream that tasks read at once; 0: by the source's size
    memory_limit_mb: int = 0  # of each task; 0: the deployment's
    profile: float = 0.0  # share of a run's rows that its profile looks at; 0: none, its profile is of footers
    allowed_variables: tuple[str, ...] = ()  # environment variables this tenant may reference
    channels: tuple[ChannelSpec, ...] = ()  # every one it declares or uses
    notification: NotificationSpec = NotificationSpec()
    alerts: tuple[AlertSpec, ...] = ()
    sla: SlaSpec = SlaSpec()
    connection_prefixes: tuple[str, ...] = ()  # Airflow connection ids this tenant may use start with one of these
    unsupported: tuple[str, ...] = ()  # why this version cannot execute it, a sentence each
    warnings: tuple[str, ...] = ()

    @property
    def dag_id(self) -> str:
        return f"{self.tenant}.{self.name}"

    def schema_policies(self, stream: StreamSpec) -> SchemaPolicies:
        return self.target.schema_policies.over(stream.contract.schema_policies)

    @property
    def whole_run(self) -> bool:
        """Whether something has to see all rows of a run before they are audited: the `transform` step."""
        return TRAITS[self.target.mode].keyed or any(transform.windowed for transform in self.transforms)

    def stream(self, name: str) -> StreamSpec:
        return next(stream for stream in self.streams if stream.name == name)
