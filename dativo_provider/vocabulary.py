"""The closed sets of words. Each policy is one of these, in code, YAML, CLI and docs alike."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

Role = Literal["source", "target"]
Mode = Literal["self_hosted", "cloud"]

# How published rows change the table.
WriteMode = Literal["append", "replace", "merge", "delete_insert", "scd2"]
# What the contract wants when a row or a schema does not fit it (`schema_validation_mode`).
SchemaValidation = Literal["quarantine", "strict", "warn"]
# What a run does about a change of the schema (`schema_policy`), and the kinds of change it tells apart.
SchemaPolicy = Literal["evolve", "freeze", "discard_row", "discard_value"]
SchemaChange = Literal["new_column", "missing_column", "other_type", "nullability"]
# Where a run is published: to main at once, or to a branch until somebody approves it.
PublishTo = Literal["main", "branch"]
# What becomes of a run that nobody has approved or rejected in time.
OnTimeout = Literal["wait", "reject"]
OnChangedFile = Literal["refuse", "append", "replace"]

# Checks.
Severity = Literal["error", "warning", "info"]
OnViolation = Literal["block", "warn", "quarantine"]
CheckScope = Literal["row", "dataset"]
CheckKind = Literal[
    "type", "required", "range", "length", "regex", "enum", "condition",  # of rows
    "uniqueness", "freshness", "row_count", "change", "aggregate", "distribution", "reference", "schema", "sql",
    "failed_rows", "anomaly", "custom", "text",
]  # fmt: skip
# What an `aggregate` check computes over the values of a column; NULL is no value.
Aggregate = Literal[
    "avg", "sum", "min", "max", "median", "quantile", "stddev", "stddev_pop", "variance", "var_pop",  # of numbers
    "null_count", "null_share", "distinct_count", "distinct_share", "unique_count", "unique_share",
    "duplicate_count", "duplicate_share", "most_common", "contains",
    "min_length", "max_length", "avg_length",  # of texts
]  # fmt: skip
# How far the shares of a `distribution` may be from what is expected.
Distance = Literal["psi", "kl", "max_deviation"]
EvaluatedBy = Literal["stats", "stream", "scan", "engine", "none"]
Outcome = Literal["passed", "failed", "error", "not_evaluated", "skipped"]
Decision = Literal["pass", "warn", "quarantine", "block"]

# What a row says about the thing it describes (`upsert` is what a snapshot or plain query yields).
RowOp = Literal["upsert", "insert", "update", "delete"]

# What maintenance does to a table, in this order; `runs` cares for what runs left beside the tables, `inbox` (first of
# all) for rows in quarantine.
MaintenanceJob = Literal["compact", "manifests", "expire", "statistics", "metadata", "orphans", "runs", "inbox"]

Step = Literal["plan", "extract", "transform", "audit", "publish", "sync"]
RunStatus = Literal[
    "running", "published", "nothing_new", "blocked", "failed", "cancelled",
    "awaiting_approval", "rejected", "state_changed", "rolled_back",
]  # fmt: skip
# Of a row in the quarantine (`dativo quarantine`).
EntryStatus = Literal["quarantined", "reviewed", "replayed", "deleted"]
LaneKind = Literal["live", "backfill", "replay"]


class ExitCode(IntEnum):
    """0 all accepted (an empty increment included), 1 published with rows left out, 2 failed."""

    OK = 0
    PARTIAL = 1
    FAILED = 2


# Names of structured log events; dashboards of the product we succeed key on them.
EventType = Literal[
    "job_started", "job_validated", "asset_loaded", "state_initialized", "extractor_initialized",
    "extraction_started", "batch_extracted", "validation_filtered", "validation_errors", "batch_written",
    "extraction_complete", "commit_success", "commit_failed", "files_written_no_catalog",
    "catalog_lineage_pushed", "job_finished", "job_error", "retry_attempt", "tenant_inferred",
    "secrets_loaded", "infra_validated", "metrics_complete",
]  # fmt: skip
