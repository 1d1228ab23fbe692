"""Gives source rows the contract's shape and says which of them do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.run import Plan
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.pipeline.schema import cast_fields, complete
from dativo_provider.pipeline.unknown import UnknownColumns

__all__ = ["Shape", "Shaped"]


@dataclass(frozen=True)
class Shaped:
    """Rows in table order. `bad[i]` marks rows for the quarantine (None: none), `reasons` theirs, in order."""

    data: pa.RecordBatch
    bad: pa.BooleanArray | None
    reasons: Sequence[Sequence[str]]


class Shape:
    """Cast, fused row transforms, row checks: compiled once per attempt."""

    def __init__(self, plan: Plan) -> None:
        from dativo_provider.quality.stream import RowChecks
        from dativo_provider.transform.cast import Caster
        from dativo_provider.transform.sql import RowTransforms

        rows, first = row_fields(plan), fused(plan)
        self._unknown = UnknownColumns(plan, rows)
        self._caster = Caster(rows, {item.name for item in rows if complete(plan.job, plan.spec, item)})
        self._transforms = RowTransforms(first, rows) if first else None
        schema = arrow_schema(staged_fields(plan))
        self._names = schema.names
        self._checks = RowChecks(row_checks(plan, schema.names), schema)

    def rows(self, data: pa.RecordBatch) -> Shaped:
        unknown = self._unknown.evaluate(data)
        cast = self._caster.cast(data)
        shaped, failures = cast.data, dict(cast.failures)
        if self._transforms:
            applied = self._transforms.apply(shaped)
            shaped, failures = applied.data.select(self._names), failures | dict(applied.failures)
        verdict = self._checks.evaluate(shaped, failures, unknown)
        return Shaped(shaped, verdict.bad, verdict.reasons)

    def results(self) -> tuple[CheckResult, ...]:
        return (*self._checks.results(), *self._unknown.results())


def fused(plan: Plan) -> Sequence[TransformSpec]:
    """Row-wise transforms before the first windowed one; the rest sees the whole run in `transform`."""
    transforms = plan.job.transforms
    first = next((at for at, transform in enumerate(transforms) if transform.windowed), len(transforms))
    return transforms[:first]


def later(plan: Plan) -> Sequence[TransformSpec]:
    return plan.job.transforms[len(fused(plan)) :]


def row_fields(plan: Plan) -> list[Field]:
    return cast_fields(plan.fields, plan.job.transforms, plan.source_fields)


def staged_fields(plan: Plan) -> list[Field]:
    """Columns extract stages: all but those only the `transform` step can make."""
    have = {field.name for field in row_fields(plan)} | {transform.column for transform in fused(plan)}
    return [field for field in plan.fields if field.name in have]


def row_checks(plan: Plan, columns: Sequence[str]) -> list[CheckSpec]:
    have = set(columns)
    return [check for check in plan.checks if check.scope == "row" and set(check.columns) <= have]


def arrow_schema(fields: Sequence[Field]) -> pa.Schema:
    return pa.schema([pa.field(field.name, to_arrow(field.type)) for field in fields])
