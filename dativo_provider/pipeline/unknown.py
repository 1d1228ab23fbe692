"""Source columns a batch has and the plan does not, or lacks although the plan has them: each by its policy.

Files of one run may differ in their columns; tables change between plan and read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.errors import DataError, SourceChanged
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.matching import match_names, unmatched
from dativo_provider.model.run import Plan
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.schema import default_policy
from dativo_provider.vocabulary import SchemaChange, SchemaPolicy

__all__ = ["UnknownColumns"]


class UnknownColumns:
    """One attempt's guard; counts as it goes."""

    def __init__(self, plan: Plan, fields: Sequence[Field]) -> None:
        self._plan, self._fields = plan, fields
        self._made = {transform.column for transform in plan.job.transforms}
        self._policies = plan.job.schema_policies(plan.spec)
        self._seen: tuple[pa.Schema, list[int], list[str]] | None = None
        self._rows = 0
        self._counts: dict[str, int] = {}

    def evaluate(self, data: pa.RecordBatch) -> Mapping[str, pa.BooleanArray]:
        """The rows to set aside, by reason. Raises `DataError` or `SourceChanged` where nothing may be read on."""
        unknown, absent = self._columns(data.schema)
        found = {f"{data.schema.names[place]}.unknown": pc.is_valid(data.column(place)) for place in unknown}
        found |= {f"{name}.missing": pa.repeat(pa.scalar(True), data.num_rows) for name in absent}
        self._rows += data.num_rows
        for reason, mask in found.items():
            self._counts[reason] = self._counts.get(reason, 0) + mask.true_count
        return {reason: mask for reason, mask in found.items() if mask.true_count}

    def results(self) -> tuple[CheckResult, ...]:
        return tuple(self._result(reason, failed) for reason, failed in self._counts.items())

    def _result(self, reason: str, failed: int) -> CheckResult:
        column, _, word = reason.rpartition(".")
        name = f"{column} is known" if word == "unknown" else f"{column} is in the source"
        outcome = "failed" if failed else "passed"
        return CheckResult(reason, name, outcome, "stream", evaluated=self._rows, failed=failed)  # type: ignore[arg-type]

    def _columns(self, schema: pa.Schema) -> tuple[list[int], list[str]]:
        """Places of unknown columns whose rows are set aside, and columns without which rows are."""
        if self._seen is None or self._seen[0] != schema:
            self._seen = (schema, self._unknown(schema.names), self._absent(schema.names))
        return self._seen[1], self._seen[2]

    def _unknown(self, names: Sequence[str]) -> list[int]:
        new = [place for place in unmatched(self._fields, names) if names[place] not in self._made]
        policies = {place: self._policy("new_column", names[place]) for place in new}
        if late := [names[place] for place, policy in policies.items() if policy == "evolve"]:
            raise SourceChanged(
                f"the source has the columns {', '.join(late)}, which it did not show when the run was planned",
                where=self._plan.spec.object,
                remedy="start a new run; if this one comes again, declare them in the contract",
            )
        self._freeze([names[place] for place, policy in policies.items() if policy == "freeze"], "new")
        return [place for place, policy in policies.items() if policy == "discard_row"]

    def _absent(self, names: Sequence[str]) -> list[str]:
        places = match_names(self._fields, names)
        lost = [item.name for item, place in zip(self._fields, places, strict=True) if place is None]
        self._freeze([name for name in lost if self._policy("missing_column", name) == "freeze"], "gone")
        return [name for name in lost if self._policy("missing_column", name) == "discard_row"]

    def _freeze(self, names: Sequence[str], what: str) -> None:
        if names:
            contract = self._plan.spec.contract
            raise DataError(
                f"columns of {self._plan.spec.object} are {what}, which their policy (freeze) forbids: "
                + ", ".join(names),
                where=contract.declared_in or contract.path or self._plan.spec.name,
                remedy="correct the source or the contract; nothing was published",
            )

    def _policy(self, change: SchemaChange, column: str) -> SchemaPolicy:
        return self._policies.of(change, column, default_policy(self._plan.job, self._plan.spec, change))
