"""Row checks on Arrow batches as they pass: aggregates first, masks only where something is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from time import perf_counter

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.conditions import Conditions, Truth
from dativo_provider.quality.probes import PROBES, Probe, lint_patterns
from dativo_provider.quality.tools import ARROW, DUCKDB
from dativo_provider.vocabulary import EvaluatedBy, Outcome

__all__ = ["RowChecks", "RowVerdict", "lint_conditions", "lint_patterns"]

_PASS = 64  # bits of a mask


@dataclass(frozen=True)
class RowVerdict:
    """What one batch came to. `bad` marks the rows to set aside (None: none); `reasons` names, for each of them in
    order, the checks that set it aside. `violations` holds each violated check's position and its rows."""

    bad: pa.BooleanArray | None = None
    reasons: Sequence[Sequence[str]] = ()
    violations: tuple[tuple[int, pa.BooleanArray], ...] = ()
    checks: int = 0
    rows: int = 0

    @property
    def masks(self) -> tuple[pa.UInt64Array, ...]:
        """One bit per check and row: bit k of mask n is set where check 64·n + k is violated."""
        passes = (self.checks + _PASS - 1) // _PASS
        return tuple(self._mask(number) for number in range(passes))

    def _mask(self, number: int) -> pa.UInt64Array:
        bits = pa.repeat(pa.scalar(0, pa.uint64()), self.rows)
        for position, violated in self.violations:
            if position // _PASS == number:
                bit = pa.scalar(1 << (position % _PASS), pa.uint64())
                bits = pc.bit_wise_or(bits, pc.if_else(violated, bit, pa.scalar(0, pa.uint64())))
        return bits


@dataclass
class _Compiled:
    """`column` is None for a check of conditions alone."""

    check: CheckSpec
    column: int | None
    probe: Probe | None
    evaluated: int = 0
    failed: int = 0
    error: str = ""
    seconds: float = 0.0

    @property
    def sets_aside(self) -> bool:
        return self.check.on_violation != "warn" and not counted(self.check)


def counted(check: CheckSpec) -> bool:
    """Whether the share or number of failing rows decides, so that no single row is to blame."""
    return check.tolerance > 0 or "allowed" in check.params


@dataclass
class RowChecks:
    """The row checks of one stream, compiled against the columns of its batches; counts as it goes.

    A row on which a condition fails (a text that is no number) violates it, and one on which `where` fails counts.
    """

    checks: Sequence[CheckSpec]
    schema: pa.Schema
    _compiled: list[_Compiled] = field(init=False, default_factory=list)
    _lost: list[CheckSpec] = field(init=False, default_factory=list)
    _conditions: Conditions = field(init=False)
    _conditions_took: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._conditions = Conditions(self.schema)
        for check in self.checks:
            self._add_conditions(check)
            if check.kind == "condition":
                self._compiled.append(_Compiled(check, None, None))
                continue
            place = self.schema.get_field_index(check.columns[0]) if len(check.columns) == 1 else -1
            if place < 0 or check.kind not in PROBES:
                self._lost.append(check)
                continue
            probe = PROBES[check.kind](check, self.schema.field(place).type)
            self._compiled.append(_Compiled(check, place, probe))

    def _add_conditions(self, check: CheckSpec) -> None:
        for key, text in (("expression", _expression(check)), ("where", check.where)):
            if text:
                try:
                    self._conditions.add(text)
                except ConfigurationError as error:
                    raise ConfigurationError(
                        f"check '{check.name}': {key}: {error.message}", where=check.declared_in, remedy=error.remedy
                    ) from None

    def evaluate(
        self,
        data: pa.RecordBatch,
        failures: Mapping[str, pa.BooleanArray],
        condemned: Mapping[str, pa.BooleanArray] | None = None,
    ) -> RowVerdict:
        """`data` has the columns of `schema`; `failures` are the cast's. `condemned` rows are set aside for the reason
        that is their key, whatever the checks say."""
        violations: list[tuple[int, pa.BooleanArray]] = []
        began = perf_counter()
        told = self._conditions.evaluate(data)
        self._conditions_took += perf_counter() - began
        for position, item in enumerate(self._compiled):
            began = perf_counter()
            mask = _violations(item, data, failures, told)
            item.seconds += perf_counter() - began
            if mask is not None:
                item.failed += mask.true_count
                violations.append((position, mask))
        return self._verdict(tuple(violations), condemned or {}, data.num_rows)

    def _verdict(
        self,
        violations: tuple[tuple[int, pa.BooleanArray], ...],
        condemned: Mapping[str, pa.BooleanArray],
        rows: int,
    ) -> RowVerdict:
        aside = list(condemned.items())
        aside += [(self._compiled[at].check.id, mask) for at, mask in violations if self._compiled[at].sets_aside]
        bad = reduce(pc.or_, [mask for _, mask in aside]) if aside else None
        reasons = _reasons(aside, bad) if bad is not None else ()
        return RowVerdict(bad, reasons, violations, len(self._compiled), rows)

    def results(self) -> tuple[CheckResult, ...]:
        """Counts so far. A check that saw no row is `skipped`; one that counts is judged by the verdict."""
        sharing = [item for item in self._compiled if _asks_sql(item.check)]
        each = self._conditions_took / max(1, len(sharing))
        found = {item.check.id: _result(item, each if item in sharing else 0.0) for item in self._compiled}
        found |= {check.id: _unevaluated(check) for check in self._lost}
        return tuple(found[check.id] for check in self.checks)


def lint_conditions(checks: Sequence[CheckSpec], fields: Sequence[Field]) -> list[ConfigurationError]:
    """The row checks whose SQL cannot be evaluated over these columns, for `validate`."""
    schema, found = pa.schema([pa.field(item.name, to_arrow(item.type)) for item in fields]), []
    for check in checks:
        if check.scope == "row" and _asks_sql(check):
            try:
                RowChecks([check], schema)
            except ConfigurationError as error:
                found.append(error)
    return found


def _expression(check: CheckSpec) -> str:
    return str(check.params["expression"]) if check.kind == "condition" else ""


def _asks_sql(check: CheckSpec) -> bool:
    return bool(check.where or check.kind == "condition")


def _violations(
    item: _Compiled,
    data: pa.RecordBatch,
    failures: Mapping[str, pa.BooleanArray],
    told: Mapping[str, Truth | ConfigurationError],
) -> pa.BooleanArray | None:
    """The rows that violate the check and count, None for none; counts how many were looked at."""
    truth, where = told.get(_expression(item.check)), told.get(item.check.where)
    for broken in (truth, where):
        if isinstance(broken, ConfigurationError):
            item.error = broken.message
            return None
    counts = _counting(where) if isinstance(where, Truth) else None
    if item.probe is None or item.column is None:
        mask = _untrue(truth) if isinstance(truth, Truth) else None
        seen = data.num_rows if counts is None else counts.true_count
    else:
        values = data.column(item.column)
        mask = item.probe(values, failures.get(item.check.columns[0]))
        seen = _seen(item.check, values, counts)
    item.evaluated += seen
    if mask is not None and counts is not None:
        mask = pc.and_(mask, counts)
    return mask if mask is not None and mask.true_count else None


def _seen(check: CheckSpec, values: pa.Array, counts: pa.BooleanArray | None) -> int:
    looked = values if counts is None else values.filter(counts)
    return len(looked) - (looked.null_count if check.denominator == "non_null" else 0)


def _untrue(truth: Truth) -> pa.BooleanArray:
    false = pc.invert(pc.fill_null(truth.values, True))
    return false if truth.failed is None else pc.or_(false, truth.failed)


def _counting(truth: Truth) -> pa.BooleanArray:
    true = pc.fill_null(truth.values, False)
    return true if truth.failed is None else pc.or_(true, truth.failed)


def _reasons(aside: list[tuple[str, pa.BooleanArray]], bad: pa.BooleanArray) -> list[list[str]]:
    reasons: list[list[str]] = [[] for _ in range(bad.true_count)]
    for name, mask in aside:
        for row in pc.indices_nonzero(mask.filter(bad)).to_pylist():
            reasons[row].append(name)
    return reasons


def _result(item: _Compiled, shared: float) -> CheckResult:
    outcome: Outcome = "error" if item.error else "failed" if item.failed else "passed" if item.evaluated else "skipped"
    by: EvaluatedBy = "stream" if item.evaluated else "none"
    message = item.error or ("" if item.evaluated else "there was no row to check")
    made = item.check.result(outcome, by, item.evaluated, item.failed, message=message)
    engine = (DUCKDB if item.check.kind == "condition" else ARROW) if item.evaluated else ""
    return replace(made, engine=engine, seconds=item.seconds + shared)


def _unevaluated(check: CheckSpec) -> CheckResult:
    columns = ", ".join(check.columns) or "no column"
    reason = f"a {check.kind} check of {columns} cannot look at single rows of this stream"
    return check.result("error", message=reason)
