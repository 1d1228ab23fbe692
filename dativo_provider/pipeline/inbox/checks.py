"""Which checks judge a replay: those that judge rows. What a whole delivery has to be, a few corrected rows are not."""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.run import ReplayRequest
from dativo_provider.model.stream import Field

__all__ = ["judging"]

_OF_ANY_ROWS = frozenset({"uniqueness", "reference", "schema", "failed_rows", "text"})


def judging(
    checks: Sequence[CheckSpec], request: ReplayRequest | None, fields: Sequence[Field]
) -> tuple[tuple[CheckSpec, ...], tuple[str, ...]]:
    """`checks` of a run; of a replay without those that make no sense and those that are to be skipped, and a note
    for the report that names these.

    Raises `ConfigurationError` for a skipped check that is none, or without which the table could not take a row.
    """
    if request is None:
        return tuple(checks), ()
    skipped = _skipped(checks, request, fields)
    judged = tuple(check for check in checks if check.id not in skipped and _makes_sense(check))
    gone = [check.id for check in checks if check not in judged]
    return judged, (f"not judged in this replay: {', '.join(gone)}",) if gone else ()


def _makes_sense(check: CheckSpec) -> bool:
    """A check that allows some rows to fail is about the share of a whole delivery as well."""
    if check.scope == "row":
        return not check.tolerance and "allowed" not in check.params
    return check.kind in _OF_ANY_ROWS


def _skipped(checks: Sequence[CheckSpec], request: ReplayRequest, fields: Sequence[Field]) -> frozenset[str]:
    known = {check.id: check for check in checks}
    if unknown := sorted(set(request.skip_checks) - known.keys()):
        raise ConfigurationError(
            f"there is no check '{unknown[0]}'", where="--skip-check", remedy=f"the contract has: {', '.join(known)}"
        )
    required = {field.name for field in fields if field.required}
    for each in request.skip_checks:
        if known[each].kind in ("type", "required") and required & set(known[each].columns):
            raise ConfigurationError(
                f"'{each}' cannot be skipped: the table takes no row without a value there",
                where="--skip-check",
                remedy="set the column with `dativo quarantine fix`, or make it optional in the contract",
            )
    return frozenset(request.skip_checks)
