"""What `validate` knows beyond the files' shape: whether their checks, patterns and expressions can be run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.config import InvalidConfig, Problem, check_paths, find_jobs, load_job
from dativo_provider.errors import ConfigurationError, DataError, DativoError
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    from dativo_provider.model.checks import CheckSpec
    from dativo_provider.model.job import JobSpec, StreamSpec

__all__ = ["problems_of"]

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))?")


def problems_of(paths: Sequence[Path]) -> list[Problem]:
    """Every finding, by file and line."""
    problems = list(check_paths(paths))
    for file, job in _loadable(paths):
        problems += [found for found in (*_of_job(job), *_not_yet(file, job)) if found not in problems]
    return sorted(problems, key=lambda found: (str(found.path), found.line, found.column))


def _loadable(paths: Sequence[Path]) -> Iterator[tuple[Path, JobSpec]]:
    """What does not load has been reported by `check_paths`."""
    files = [_as_given(found.path, path) for path in paths if path.is_dir() for found in find_jobs(path)]
    for file in dict.fromkeys([*(path for path in paths if path.is_file()), *files]):
        try:
            yield file, load_job(file)
        except (InvalidConfig, DativoError):
            continue


def _as_given(found: Path, folder: Path) -> Path:
    """Relative where the folder was: findings name files as the user did."""
    return found if folder.is_absolute() else Path(os.path.relpath(found))


def _of_job(job: JobSpec) -> Iterator[Problem]:
    for stream in job.streams:
        if stream.contract.fields:
            yield from _of_stream(job, stream)


def _not_yet(file: Path, job: JobSpec) -> Iterator[Problem]:
    """A job may be right and yet not run: better to learn that here than from the failing task."""
    for sentence in job.unsupported:
        yield Problem(str(file), 1, 1, "", sentence, "the job is valid, but a run of it fails", "warning")


def _of_stream(job: JobSpec, stream: StreamSpec) -> Iterator[Problem]:
    from dativo_provider.quality.frontends.compile import advice, compile_rules
    from dativo_provider.quality.metrics.statement import lint_queries
    from dativo_provider.quality.stream import lint_conditions, lint_patterns

    try:
        fields = _columns(job, stream)
        if fields is None:
            return
        cursor = stream.incremental.cursor_field
        checks = compile_rules(
            stream.contract.rules, fields, job.enforcement, job.schema_validation, cursor,
            handling=stream.contract.handling,
        )  # fmt: skip
    except (ConfigurationError, DataError) as error:
        yield _problem(error.where, error.message, error.remedy, job)
        return
    unfit = [*lint_patterns(checks), *lint_conditions(checks, fields), *lint_queries(checks, fields)]
    for refused in {str(each): each for each in unfit}.values():
        yield _problem(refused.where, refused.message, refused.remedy, job)
    for where, sentence in advice(checks):
        yield _problem(where, sentence, "", job, warning=True)
    yield from _unready(checks, job)


def _unready(checks: Sequence[CheckSpec], job: JobSpec) -> Iterator[Problem]:
    """Here, that is: the machines that run the job may have what this one lacks, and the other way round."""
    from dativo_provider.cli import context
    from dativo_provider.quality.engines.readiness import unready

    for check, sentence, remedy in unready(checks, job, context.places()):
        yield _problem(check.declared_in, f"check '{check.name}': {sentence}", remedy, job, warning=True)


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


def _problem(where: str, message: str, remedy: str, job: JobSpec, *, warning: bool = False) -> Problem:
    place = _PLACE.fullmatch(where)
    path, line, column = (place["path"], int(place["line"]), int(place["column"] or 1)) if place else (job.path, 1, 1)
    return Problem(path, line, column, "", message, remedy, "warning" if warning else "error")
