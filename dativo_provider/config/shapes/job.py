"""A job file."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from dativo_provider.config.shapes.base import Interval, Mapped, Names, Regex, Shape, Timezone, Wrong, schema_key
from dativo_provider.config.shapes.checks import ContractBlock
from dativo_provider.config.shapes.maintenance import Maintenance
from dativo_provider.config.shapes.source import Source
from dativo_provider.config.shapes.target import Target

__all__ = [
    "AlertRule",
    "Cron",
    "Id",
    "Job",
    "Logging",
    "LookupTable",
    "NotificationChannel",
    "Plugins",
    "Retry",
    "Schedule",
    "Transformation",
    "check_id",
    "is_id",
]

ID_RULE = "1 to 63 characters: lower-case letters, digits and _, beginning with a letter"
_ID = re.compile(r"[a-z][a-z0-9_]{0,62}")


def is_id(value: str) -> bool:
    return bool(_ID.fullmatch(value))


def check_id(value: str) -> str:
    if not is_id(value):
        raise Wrong(f"'{value[:80]}' is not an id", ID_RULE)
    return value


def _cron(value: str) -> str:
    from dativo_provider.config.cron import problem_of

    found = problem_of(value)
    if found:
        raise Wrong(found, "e.g. '0 * * * *', '30 6 * * mon-fri' or @daily")
    return " ".join(value.split())


Id = Annotated[str, AfterValidator(check_id)]
Cron = Annotated[str, AfterValidator(_cron)]


class Schedule(Shape):
    """When the job runs. Neither `cron` nor an interval: by hand only."""

    cron: Cron | None = Field(default=None, description="Five fields, or `@hourly`, `@daily`, …")
    interval: Interval | None = Field(default=None, description="Seconds, or `30m`, `6h`, `1d`.")
    interval_seconds: Interval | None = Field(default=None, description="The same in seconds.")
    enabled: bool = Field(default=True, description="false pauses the schedule without removing it.")
    timezone: Timezone = Field(default="UTC", description="IANA time zone in which `cron` is read.")
    max_concurrent_runs: int = Field(default=1, ge=1, le=64, description="Runs of this job at the same time.")
    tags: dict[str, str] = Field(default={}, description="Further tags of the DAG.")


class Sampling(Shape):
    """A profile of some of the rows."""

    sample: float = Field(gt=0, le=1, description="Share of the rows that are looked at, chosen at random.")


class Retry(Shape):
    """How failed tasks are tried again."""

    max_retries: int | None = Field(default=None, ge=0, le=100, description="Tries after the first. Default 3.")
    max_attempts: int | None = Field(
        default=None, ge=1, le=101, description="Tries in all; either this or `max_retries`."
    )
    initial_delay_seconds: float | None = Field(
        default=None, ge=0, description="Wait before the second try. Default 5."
    )
    max_delay_seconds: float = Field(default=300, ge=0, description="Longest wait.")
    backoff_multiplier: float = Field(default=2.0, ge=1, description="Growth of the wait from try to try.")
    retryable_exit_codes: list[int] = Field(
        default=[], description="Older jobs: without 2 (failed) nothing is tried again."
    )
    retryable_error_patterns: list[Regex] = Field(
        default=[], description="Regular expressions, upper or lower case alike, of messages worth another try."
    )
    retry_delay_seconds: float | None = Field(default=None, ge=0, description="Older name of `initial_delay_seconds`.")
    retryable_errors: list[Regex] = Field(default=[], description="Older name of `retryable_error_patterns`.")


class Transformation(Shape):
    """One new or replaced column."""

    name: str = Field(min_length=1, description="What it does; names the column unless `column` does.")
    type: Literal["sql", "python"] = Field(default="sql", description="Language of the transformation.")
    expression: str = Field(default="", description="SQL over the row's columns, earlier entries' and `lookups`.")
    column: str = Field(default="", description="Column that is added or replaced.")
    data_type: str = Field(default="", description="Type of the column; default: as the expression yields.")
    function: str = Field(default="", description="Function of a Python transformation.")
    description: str = Field(default="", description="For people.")


def _paired(value: Any) -> Any:
    """`id` and `[id, day]` name columns that both sides call alike."""
    names = [value] if isinstance(value, str) else value
    return {name: name for name in names} if isinstance(names, list) else value


class LookupTable(Shape):
    """A table whose row with the same key a transformation may read, as `<name>.<column>`."""

    table: str = Field(default="", description="Table of the job's catalog: `<namespace>.<table>`, or `<table>`.")
    path: str = Field(default="", description="CSV or Parquet file below the tenant's folders.")
    key: Annotated[
        dict[str, str], BeforeValidator(_paired, json_schema_input_type=dict[str, str] | str | list[str])
    ] = Field(default={}, description="Its columns that name one row, each with the row's column of the same value.")
    types: dict[str, str] = Field(default={}, description="Types of a CSV file's columns that are no text.")
    description: str = Field(default="", description="For people.")


def _severity(value: Any) -> Any:
    """Services have more words for it."""
    return {"critical": "error", "": "warning"}.get(value, value) if isinstance(value, str) else value


class AlertRule(Shape):
    """One alert."""

    name: str = Field(min_length=1, description="Name of the alert.")
    condition: str = Field(
        min_length=1,
        description="What is wrong, e.g. `daily_cost > avg_cost_7d * 1.5`: names of columns and trailing means.",
    )
    action: str = Field(
        default="",
        description="`slack_notification`, `email`, `pagerduty`, `teams`, `webhook`, or a name of `notifications`.",
    )
    channel: str = Field(default="", description="Slack channel, or a name of `notifications`.")
    recipients: Names = Field(default=[], description="E-mail addresses.")
    severity: Annotated[Literal["error", "warning", "info"], BeforeValidator(_severity)] = Field(
        default="warning", description="Severity that is sent along."
    )
    window: Interval = Field(
        default=86_400, description="A breach that lasts is told again after this long: seconds, or `6h`, `1d`."
    )
    description: str = Field(default="", description="For people.")


class NotificationChannel(Shape):
    """A way to tell people."""

    type: Literal["slack", "email", "pagerduty", "teams", "webhook", "airflow"] | None = Field(
        default=None, description="Kind of the channel; default: its name."
    )
    connection_id: str = Field(
        default="", description="Airflow connection with its address and token; default: `<tenant>_<name>`."
    )
    url: str = Field(default="", description="Address to post to, best as `${SECRET:NAME}`; instead of a connection.")
    channel: str = Field(default="", description="Channel of Slack.")
    recipients: Names = Field(default=[], description="E-mail addresses.")
    sender: str = Field(default="", description="Sender of e-mails; default: the connection's.")
    notifier: str = Field(
        default="", description="With `type: airflow`: dotted name of the notifier; the operator allows it by name."
    )
    arguments: Mapped = Field(
        default={},
        description="Arguments of the notifier; `{title}`, `{text}` and the names of `template` are filled in.",
    )


class Logging(Shape):
    """Logs of this job."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(default="INFO", description="Least level.")
    redaction: bool = Field(default=False, description="Accepted; secrets are always masked.")


class Sandbox(Shape):
    """Limits of plugins."""

    enabled: bool = Field(default=True, description="Run plugins in a sandbox.")
    cpu_limit: float | None = Field(default=None, gt=0, description="Share of a CPU.")
    memory_limit: str = Field(default="512m", description="Memory.")
    network_disabled: bool = Field(default=True, description="No network.")
    timeout: int = Field(default=300, ge=1, description="Seconds.")


class Plugins(Shape):
    """Plugins of this job."""

    sandbox: Sandbox | None = Field(default=None, description="Limits of plugins.")


class Catalog(Shape):
    """A data catalog that is told about the table."""

    type: Literal["openmetadata", "aws_glue", "databricks_unity", "nessie"] = Field(description="Kind of catalog.")
    connection: Mapped = Field(default={}, description="Address and credentials.")
    database: str = Field(default="", description="Database in the catalog.")
    table_name: str = Field(default="", description="Table in the catalog.")
    push_lineage: bool = Field(default=True, description="Send lineage.")
    push_metadata: bool = Field(default=True, description="Send schema, tags and owners.")


class Job(Shape):
    """One job: a source, a target, a contract and a schedule."""

    schema_: str = schema_key()
    tenant_id: Id = Field(default="", description="Owner of the job; default: the folder `tenants/<tenant>/`.")
    id: Id | None = Field(default=None, description="Names the job in state for ever; default: the file's stem.")
    description: str = Field(default="", description="For people; shown in the DAG's documentation.")
    environment: str = Field(default="", description="Label, and the overlay of `environments` that applies.")
    environments: dict[str, Mapped] = Field(
        default={}, description="Overlays by environment: any keys of a job, merged deeply over it."
    )
    source_connector: str = Field(default="", description="Connector to read with, by name.")
    source_connector_path: str = Field(default="", description="Recipe of the source connector.")
    target_connector: str = Field(default="", description="Connector to publish with; default `iceberg`.")
    target_connector_path: str = Field(default="", description="Recipe of the target connector.")
    asset: str = Field(default="", description="Contract by name.")
    asset_path: str = Field(default="", description="Contract by path.")
    source: Source | None = Field(default=None, description="Where rows come from.")
    target: Target | None = Field(default=None, description="Where rows are published.")
    data_contract: ContractBlock | None = Field(default=None, description="Checks of this job.")
    transformations: list[Transformation] = Field(default=[], description="New columns, in order.")
    lookups: dict[str, LookupTable] = Field(
        default={}, description="Other tables that transformations may read, by the name they have there."
    )
    schedule: Schedule | None = Field(default=None, description="When the job runs.")
    maintenance: Maintenance | None = Field(default=None, description="Care of the tables of this job.")
    schema_validation_mode: Literal["strict", "warn", "quarantine"] | None = Field(
        default=None,
        description="A row that does not fit the contract: `quarantine` (default) sets it aside, `strict` blocks the "
        "run, `warn` empties a failing optional value.",
    )
    retry_config: Retry | None = Field(default=None, description="How failed tasks are tried again.")
    slices: int | None = Field(
        default=None, ge=1, le=256, description="Tasks that read one stream at once; default: by the source's size."
    )
    memory_limit: int | str | None = Field(
        default=None, description="Memory of one task (`512MB`, `2GB`); default: the deployment's."
    )
    profile: bool | Sampling = Field(
        default=False, description="true: every run leaves a profile of its rows, and its numbers become history."
    )
    alert_rules: list[AlertRule] = Field(default=[], description="Alerts on values.")
    notifications: dict[str, NotificationChannel] = Field(
        default={}, description="Channels by name, for `violation_handling.notification` and `alert_rules`."
    )
    logging: Logging | None = Field(default=None, description="Logs of this job.")
    catalog: Catalog | None = Field(default=None, description="A data catalog that is told about the table.")
    classification_overrides: dict[str, str] = Field(
        default={}, description="Class of a column, over the contract's; `default` is the table's."
    )
    finops: Mapped = Field(
        default={}, description="`cost_center`, `budget_code`, `project`, …; become table properties."
    )
    governance_overrides: Mapped = Field(default={}, description="`owner`, `domain`, `retention_days`, …")
    compliance: Mapped = Field(default={}, description="Data-subject requests; read by compliance, not by ingestion.")
    plugins: Plugins | None = Field(default=None, description="Plugins of this job.")
    features: list[Mapped] = Field(default=[], description="Feature definitions.")
    feature_store: Mapped = Field(default={}, description="Feature store.")
    ml_platforms: Mapped = Field(default={}, description="Machine-learning platforms.")
    ml_metadata: Mapped = Field(default={}, description="Notes on training.")
    versioning: Mapped = Field(default={}, description="Snapshots and tags of training sets.")
    column_mappings: list[Mapped] = Field(default=[], description="Column lineage for catalogs.")
    infrastructure: Mapped = Field(default={}, description="Notes on where the job runs; not read.")
