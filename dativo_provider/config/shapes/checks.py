"""`data_contract:` of a job or asset, and the checks inside it."""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.shapes.base import Interval, Names, Regex, Shape, Wrong
from dativo_provider.vocabulary import Distance, OnViolation

__all__ = ["CHECK_TYPES", "TEMPLATE_NAMES", "ContractBlock", "InlineCheck", "Notification", "Sla", "ViolationHandling"]

CHECK_TYPES = (
    "not_null", "null_check", "required", "null", "completeness", "unique", "uniqueness", "unique_check", "range",
    "range_check", "length", "length_check", "regex", "pattern", "pattern_check", "enum", "values", "enum_check",
    "accepted_values", "freshness", "row_count", "condition", "aggregate", "sql",
    "failed_rows", "reference", "foreign_key", "distribution", "schema", "change", "custom",
)  # fmt: skip
TEMPLATE_NAMES = (
    "contract_name", "contract_version", "asset_name", "tenant_id", "job_name", "run_id", "violation_count",
    "violations_list", "quarantine_path", "quarantine_ui_url",
)  # fmt: skip
Severity = Literal[
    "error", "warning", "info", "critical", "blocker", "fail", "high", "medium", "warn", "low", "minor"
]  # fmt: skip


def _template(value: str) -> str:
    try:
        parts = list(Formatter().parse(value))
    except ValueError:
        raise Wrong("a brace of the template is not closed", "double braces that shall stay: {{ and }}") from None
    for _, name, form, conversion in parts:
        if name is not None and (name not in TEMPLATE_NAMES or form or conversion):
            hint = did_you_mean(name, TEMPLATE_NAMES) or f"use one of: {listed(TEMPLATE_NAMES)}"
            raise Wrong(f"'{{{name}}}' is not replaced in a template", hint)
    return value


def _check_type(value: str) -> str:
    if value not in CHECK_TYPES:
        hint = did_you_mean(value, CHECK_TYPES)
        raise Wrong(f"'{value}' is not a type of check", hint or f"use one of: {listed(CHECK_TYPES)}")
    return value


class InlineCheck(Shape):
    """One check in short form."""

    id: str = Field(default="", description="Stable id; default: made from the name.")
    name: str = Field(default="", description="Name in reports; default: made from type and columns.")
    type: Annotated[str, AfterValidator(_check_type)] = Field(
        default="custom", description="`regex`, `range`, `uniqueness`, `freshness`, `not_null`, `enum`, `length`, …"
    )
    severity: Severity = Field(default="error", description="`error` acts, `warning` and `info` are counted only.")
    column: str = Field(default="", description="Column that is checked.")
    field: str = Field(default="", description="The same as `column`.")
    columns: Names = Field(default=[], description="Columns that are checked together.")
    min: Any = Field(default=None, description="Least allowed value, length or count.")
    max: Any = Field(default=None, description="Greatest allowed value, length or count.")
    min_length: int | None = Field(default=None, ge=0, description="Least length.")
    max_length: int | None = Field(default=None, ge=0, description="Greatest length.")
    exclusive_min: Any = Field(default=None, description="Values must be greater.")
    exclusive_max: Any = Field(default=None, description="Values must be less.")
    pattern: Regex | None = Field(default=None, description="Regular expression that values must match.")
    regex: Regex | None = Field(default=None, description="The same as `pattern`.")
    negate: bool = Field(default=False, description="Values must not match `pattern`.")
    values: list[Any] | None = Field(default=None, description="Allowed values.")
    enum: list[Any] | None = Field(default=None, description="The same as `values`.")
    valid_values: list[Any] | None = Field(default=None, description="The same as `values`.")
    max_age_hours: float | None = Field(default=None, gt=0, description="Greatest age of the newest value.")
    unit: Literal["rows", "percent"] = Field(default="rows", description="What `min` and `max` of a count are in.")
    scope: Literal["run", "table"] = Field(
        default="run", description="`table`: a `unique` key may not be published already, either."
    )
    expression: str = Field(default="", description="SQL of a `condition` check that is true for good rows.")
    query: str = Field(default="", description="A SELECT of a `sql` or `failed_rows` check; the rows are `{table}`.")
    argument: float | None = Field(default=None, ge=0, le=1, description="Which `quantile`.")
    table: str = Field(default="", description="Published table that a `reference` check looks values up in.")
    to: str | list[str] = Field(default=[], description="Its columns; default: called as the check's.")
    shares: dict[Any, float] | list[float] = Field(
        default=[], description="Expected share by value of a `distribution` check, or of each bin of `edges`."
    )
    edges: list[Any] = Field(default=[], description="Ends of a `distribution`'s bins, ascending.")
    measure: Distance | None = Field(default=None, description="How a `distribution` is compared.")
    names: Names = Field(default=[], description="Columns a `schema` check expects.")
    types: dict[str, str] = Field(default={}, description="Types a `schema` check expects, by column.")
    order: bool = Field(default=False, description="A `schema` check expects `names` in their order.")
    others: bool = Field(default=True, description="A `schema` check allows other columns.")
    metric: str = Field(default="", description="Metric of the history a `change` check looks at.")
    function: str = Field(
        default="", description="What an `aggregate` check computes; built-in or `module:function` of a `custom` check."
    )
    description: str = Field(default="", description="For people.")
    dimension: str = Field(default="", description="Quality dimension in scores.")
    where: str = Field(default="", description="SQL condition on the rows that count.")
    filter: str = Field(default="", description="The same as `where`.")
    tolerance: float | None = Field(default=None, ge=0, lt=1, description="Share of failing rows that still passes.")
    on_violation: OnViolation | None = Field(default=None, description="What a failure does.")


class Freshness(Shape):
    """Newest row."""

    max_age_hours: float = Field(gt=0, description="Greatest age of the newest row.")
    column: str = Field(default="", description="Column that tells the age.")


class Completeness(Shape):
    """Enough rows."""

    min_records_per_day: int = Field(ge=0, description="Least number of rows a day.")


class Availability(Shape):
    """Runs that succeed."""

    uptime_percentage: float = Field(ge=0, le=100, description="Promised share of runs that succeed.")


class Sla(Shape):
    """What consumers may rely on."""

    freshness: Freshness | None = Field(default=None, description="Becomes a freshness check.")
    completeness: Completeness | None = Field(default=None, description="Judged over the rows of 24 hours.")
    availability: Availability | None = Field(default=None, description="Judged over the runs of 30 days.")


class Quarantine(Shape):
    """Where rows that fail go."""

    enabled: bool = Field(default=True, description="Accepted; the quarantine table is always there.")
    s3_bucket: str = Field(default="", description="Accepted; the quarantine is a table beside the target.")
    s3_prefix: str = Field(default="", description="Accepted; the quarantine is a table beside the target.")
    retention_days: int = Field(default=30, ge=0, description="When quarantined rows expire.")
    keep_original: bool = Field(default=False, description="Keep masked columns in clear in the quarantine.")


class Notification(Shape):
    """Whom violations are told, and how."""

    channels: Names = Field(
        default=[], description="`slack`, `email`, `pagerduty`, `teams`, `webhook`, or names of `notifications`."
    )
    recipients: Names = Field(default=[], description="E-mail addresses.")
    template: Annotated[str, AfterValidator(_template)] = Field(
        default="", description="Text of the message; `{contract_name}`, `{violations_list}`, … are replaced."
    )
    mention_on_critical: bool | str = Field(
        default="",
        description="Put before messages about errors: `true` for `<!channel>`, or text such as `<@U012AB>`.",
    )
    window: Interval = Field(
        default=86_400, description="A violation that lasts is told again after this long: seconds, or `6h`, `1d`."
    )
    quarantine_ui_url: Annotated[str, AfterValidator(_template)] = Field(
        default="", description="Where people look at quarantined rows; `{run_id}`, `{asset_name}`, … are replaced."
    )


class ViolationHandling(Shape):
    """What failures do."""

    on_schema_violation: OnViolation | None = Field(default=None, description="A row or schema that does not fit.")
    on_quality_violation: OnViolation | None = Field(
        default=None, description="A check with severity error that fails."
    )
    on_sla_violation: OnViolation | None = Field(default=None, description="A promise of `sla` that is broken.")
    by_severity: dict[Literal["error", "warning", "info"], OnViolation] = Field(
        default={}, description="What a failing check does, by its severity; `on_quality_violation` is that of `error`."
    )
    by_dimension: dict[str, OnViolation] = Field(
        default={}, description="What a failing check does, by its quality dimension; goes before `by_severity`."
    )
    on_error: Literal["block", "warn"] | None = Field(
        default=None, description="A check of severity error that could not be evaluated; default: `block`."
    )
    on_not_evaluated: Literal["block", "warn"] | None = Field(
        default=None, description="A check of severity error that nothing here evaluates; default: `warn`."
    )
    notification: Notification | None = Field(default=None, description="Whom violations are told.")
    quarantine: Quarantine | None = Field(default=None, description="Where rows that fail go.")


class SchemaContract(Shape):
    """How the schema may change."""

    strict_mode: bool = Field(default=False, description="The same as `target.mode: strict`.")
    allow_nullable_expansion: bool | None = Field(
        default=None, description="false: a required column of the table may not become optional."
    )
    allow_type_changes: bool | None = Field(
        default=None, description="true: types widen with the source's; false: a run fails when they differ."
    )


class ContractBlock(Shape):
    """Checks of one job, beside or instead of a contract file."""

    enabled: bool = Field(default=True, description="false switches every check off.")
    contract_path: str = Field(default="", description="A contract file whose checks apply.")
    enforcement_mode: Literal["strict", "warn", "disabled"] | None = Field(
        default=None, description="`warn` counts violations without acting on them."
    )
    inline_checks: list[InlineCheck] = Field(default=[], description="Checks in short form.")
    quality_checks: Any = Field(
        default=None,
        description="A list of checks, or lists by engine: `soda`, `great_expectations`, `custom`; "
        "`checks_file` and `expectation_suite` name files of the engine.",
    )
    sla: Sla | None = Field(default=None, description="What consumers may rely on.")
    schema_contract: SchemaContract | None = Field(default=None, description="How the schema may change.")
    violation_handling: ViolationHandling | None = Field(default=None, description="What failures do.")
    name: str = Field(default="", description="Name of the contract.")
    version: str = Field(default="", description="Version of the contract.")
    owner: str = Field(default="", description="Who answers for it.")
