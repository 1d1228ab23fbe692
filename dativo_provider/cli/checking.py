"""What `validate` knows beyond the files' shape: whether their checks, patterns and expressions can be run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.cli import connector_lint
from dativo_provider.config import Problem, check_paths, find_jobs
from dativo_provider.errors import ConfigurationError, DataError, DativoError
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    from dativo_provider.model.checks import CheckSpec, Rule
    from dativo_provider.model.job import JobSpec, StreamSpec

__all__ = ["new_places", "of_contract", "problems_of"]

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))?")


def problems_of(paths: Sequence[Path]) -> list[Problem]:
    """Every finding, by file and line: those of checks beside those of the job and the contract that hold them."""
    problems = list(check_paths(paths))
    for path in paths:
        if path.is_file():
            problems += new_places(of_contract(path), problems)
    for file in _jobs(paths):
        problems += new_places(_of_job(file), problems)
    return sorted(problems, key=lambda found: (str(found.path), found.line, found.column))


def new_places(found: Iterable[Problem], known: Sequence[Problem]) -> list[Problem]:
    """What no error was said of yet: a check that could not be read right need not be complained of twice."""
    places = {problem.where for problem in known if problem.severity == "error"}
    return [each for each in dict.fromkeys(found) if each.where not in places and each not in known]


def of_contract(path: Path) -> Iterator[Problem]:
    """The checks of a contract against its own columns; nothing of a file that is no contract."""
    from dativo_provider.config.contract import TableContract
    from dativo_provider.config.contracts import examine_contract

    contract, _ = examine_contract(path)
    if contract is None:
        return
    for table in contract.tables or (TableContract(contract.name),):
        rules = (*table.rules, *contract.rules)
        yield from _rule_problems(rules, table.fields, str(path), typed=bool(table.fields))


def _jobs(paths: Sequence[Path]) -> list[Path]:
    inside = [_as_given(found.path, path) for path in paths if path.is_dir() for found in find_jobs(path)]
    return list(dict.fromkeys([*(path for path in paths if path.is_file()), *inside]))


def _as_given(found: Path, folder: Path) -> Path:
    """Relative where the folder was: findings name files as the user did."""
    return found if folder.is_absolute() else Path(os.path.relpath(found))


def _of_job(file: Path) -> Iterator[Problem]:
    """As far as the job can be read; what is wrong with it otherwise has been reported by `check_paths`."""
    from dativo_provider.config.jobs import examine

    job, findings = examine(file)
    if job is None:
        return
    yield from connector_lint.of_job(job)
    for stream in job.streams:
        if stream.contract.fields:
            yield from _of_stream(job, stream)
    if not findings.failed:
        yield from _not_yet(file, job)


def _not_yet(file: Path, job: JobSpec) -> Iterator[Problem]:
    """A job may be right and yet not run: better to learn that here than from the failing task."""
    for sentence in job.unsupported:
        yield Problem(str(file), 1, 1, "", sentence, "the job is valid, but a run of it fails", "warning")


def _of_stream(job: JobSpec, stream: StreamSpec) -> Iterator[Problem]:
    fields = None
    try:
        fields = _columns(job, stream)
    except (ConfigurationError, DataError) as error:
        yield _problem(error, job.path)
    how = {
        "enforcement": job.enforcement, "schema_validation": job.schema_validation,
        "cursor_field": stream.incremental.cursor_field, "handling": stream.contract.handling,
    }  # fmt: skip
    yield from _rule_problems(
        stream.contract.rules, fields or tuple(_untyped(job, stream)), job.path,
        typed=fields is not None, job=job, key=stream.identity, **how,
    )  # fmt: skip


def _untyped(job: JobSpec, stream: StreamSpec) -> Iterator[Field]:
    """The columns, where nobody knows yet what the transformations make of them."""
    made = dict.fromkeys(each.column for each in job.transforms)
    yield from (field for field in stream.contract.fields if field.name not in made)
    yield from (Field(name, type="") for name in made)


def _rule_problems(
    rules: Sequence[Rule],
    fields: Sequence[Field],
    path: str,
    *,
    typed: bool = True,
    job: JobSpec | None = None,
    key: Sequence[str] = (),
    **how: Any,
) -> Iterator[Problem]:
    """What is wrong with each rule, so that one hides no other. SQL is tried only where all columns are `typed`."""
    from dativo_provider.quality.frontends.compile import advice, compile_rules
    from dativo_provider.quality.metrics.statement import lint_queries
    from dativo_provider.quality.metrics.uniqueness import lint_scopes
    from dativo_provider.quality.stream import lint_conditions, lint_patterns

    for rule in rules:
        try:
            checks = [check for check in compile_rules([rule], fields, **how) if check.declared_in]
        except (ConfigurationError, DataError) as error:
            yield _problem(error, path)
            continue
        unfit = [*lint_patterns(checks)]
        if typed:
            unfit += [*lint_conditions(checks, fields), *lint_queries(checks, fields)]
        if job:
            unfit += lint_scopes(checks, job.target.mode, key)
        yield from {str(each): _problem(each, path) for each in unfit}.values()
        for where, sentence in advice(checks):
            yield _problem(ConfigurationError(sentence, where=where), path, warning=True)
        if job:
            yield from _unready(checks, job)


def _unready(checks: Sequence[CheckSpec], job: JobSpec) -> Iterator[Problem]:
    """Here, that is: the machines that run the job may have what this one lacks, and the other way round."""
    from dativo_provider.cli import context
    from dativo_provider.quality.engines.readiness import unready

    for check, sentence, remedy in unready(checks, job, context.places()):
        wrong = ConfigurationError(f"check '{check.name}': {sentence}", where=check.declared_in, remedy=remedy)
        yield _problem(wrong, job.path, warning=True)


def _columns(job: JobSpec, stream: StreamSpec) -> Sequence[Field] | None:
    """Of the table; None where a column's type hangs on what a lookup's table holds, which only a run knows."""
    from dativo_provider.pipeline.lookups import described
    from dativo_provider.pipeline.schema import typed
    from dativo_provider.transform.sql import check_texts, plan_columns

    check_texts(job.transforms, job.lookups)
    if (lookups := described(job)) is not None:
        return plan_columns(job.transforms, stream.contract.fields, lookups)
    fields = {field.name: field for field in stream.contract.fields}
    for transform in typed(job.transforms, stream.contract.fields):
        if not transform.type:
            return None
        fields.setdefault(transform.column, Field(transform.column, transform.type))
    return tuple(fields.values())


def _problem(error: DativoError, path: str, *, warning: bool = False) -> Problem:
    place = _PLACE.fullmatch(error.where)
    file, line, column = (place["path"], int(place["line"]), int(place["column"] or 1)) if place else (path, 1, 1)
    return Problem(file, line, column, "", error.message, error.remedy, "warning" if warning else "error")
