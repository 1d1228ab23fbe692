"""Gives source rows the contract's shape and says which of them do not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.run import Plan
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.pipeline.keyed import NO_KEY, Keys, is_keyed, widened
from dativo_provider.pipeline.schema import cast_fields, complete
from dativo_provider.pipeline.unknown import UnknownColumns

if TYPE_CHECKING:
    from dativo_provider.transform.lookups import Lookup

__all__ = ["Shape", "Shaped"]


@dataclass(frozen=True)
class Shaped:
    """Rows in table order. `bad[i]` marks rows for the quarantine (None: none), `reasons` theirs, in order. `gone[i]`
    marks those which say that the row of their key is gone: of them nothing but the key counts."""

    data: pa.RecordBatch
    bad: pa.BooleanArray | None
    reasons: Sequence[Sequence[str]]
    gone: pa.BooleanArray | None = None


class Shape:
    """Cast, fused row transforms, row checks: compiled once per attempt."""

    def __init__(self, plan: Plan, lookups: Sequence[Lookup] = ()) -> None:
        from dativo_provider.quality.stream import RowChecks
        from dativo_provider.transform.cast import Caster
        from dativo_provider.transform.sql import RowTransforms

        rows, first = row_fields(plan), fused(plan)
        self._unknown = UnknownColumns(plan, rows)
        self._caster = Caster(rows, {item.name for item in rows if complete(plan.job, plan.spec, item)})
        self._transforms = RowTransforms(first, rows, lookups) if first else None
        schema = arrow_schema(staged_fields(plan))
        self._names = schema.names
        self._checks = RowChecks(row_checks(plan, schema.names), schema)
        self._keys = Keys(plan) if is_keyed(plan) else None

    def rows(self, data: pa.RecordBatch, ops: pa.Array | None = None) -> Shaped:
        unknown = self._unknown.evaluate(data)
        cast = self._caster.cast(data)
        shaped, failures = cast.data, dict(cast.failures)
        if self._transforms:
            applied = self._transforms.apply(shaped)
            shaped, failures = applied.data.select(self._names), failures | dict(applied.failures)
        if self._keys is None:
            verdict = self._checks.evaluate(shaped, failures, unknown)
            return Shaped(shaped, verdict.bad, verdict.reasons)
        return self._told_by_key(self._keys, shaped, failures, unknown, ops)

    def _told_by_key(
        self,
        keys: Keys,
        rows: pa.RecordBatch,
        failures: Mapping[str, pa.BooleanArray],
        condemned: Mapping[str, pa.BooleanArray],
        ops: pa.Array | None,
    ) -> Shaped:
        """A row that says another is gone need not pass the checks; without a key no row does."""
        lacking = keys.lacking(rows)
        gone = keys.gone(rows, ops)
        if lacking is not None:
            condemned = {**condemned, NO_KEY: lacking}
            gone = None if gone is None else pc.and_not(gone, lacking)
        if gone is None:
            verdict = self._checks.evaluate(rows, failures, condemned)
            return Shaped(rows, verdict.bad, verdict.reasons)
        judged = pc.invert(gone)
        masks = [{name: mask.filter(judged) for name, mask in each.items()} for each in (failures, condemned)]
        verdict = self._checks.evaluate(rows.filter(judged), *masks)
        return Shaped(rows, widened(verdict.bad, judged), verdict.reasons, gone)

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
    return [check for check in plan.checks if check.scope == "row" and reads(check) <= have]


def reads(check: CheckSpec) -> set[str]:
    return {*check.columns, *check.params.get("reads", ())}


def arrow_schema(fields: Sequence[Field]) -> pa.Schema:
    return pa.schema([pa.field(field.name, to_arrow(field.type)) for field in fields])
