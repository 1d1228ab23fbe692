"""Serves a dags folder: three lines in a loader file, and every job YAML beside or below it is a DAG."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from airflow.sdk import DAG, get_parsing_context

from dag_factory.blueprints import BLUEPRINTS
from dag_factory.build import build, build_invalid, shown
from dag_factory.discover import discover
from dag_factory.markdown import code, text
from dag_factory.options import FactoryOptions
from dativo_provider.config import InvalidConfig, JobFile, Problem, RunnerSpec, load_job, load_runner
from dativo_provider.errors import DativoError
from dativo_provider.hooks.tenancy import concurrency
from dativo_provider.vocabulary import Mode

__all__ = ["dags", "load"]

log = logging.getLogger(__name__)


def load(namespace: MutableMapping[str, Any], loader: str) -> None:
    """Puts a DAG per job below the loader's folder into `namespace` (its globals).

    A task's process builds only the DAG it runs. A job that cannot be read becomes a DAG that says why; the
    others are untouched.
    """
    folder = Path(loader).resolve().parent
    for dag in dags(folder, get_parsing_context().dag_id or ""):
        namespace[dag.dag_id] = dag


def dags(folder: Path, wanted: str = "") -> Iterator[DAG]:
    """The DAGs of every job below `folder`, or only `wanted`."""
    options, runner = FactoryOptions.from_airflow(str(folder)), RunnerSpec()
    try:
        runner = load_runner(folder)
    except InvalidConfig as wrong:
        if wanted in ("", "dativo.runner"):
            yield _invalid("dativo.runner", "", wrong.problems, options)
    options = replace(options, environment=options.environment or runner.environment)
    found = discover(folder, wanted)
    for dag_id, files in found.items():
        yield _duplicate(dag_id, files, options) if len(files) > 1 else _one(files[0], runner, options)
    yield from _beside(found, wanted, options)


def _beside(jobs: Mapping[str, Sequence[JobFile]], wanted: str, options: FactoryOptions) -> Iterator[DAG]:
    """The DAGs of the blueprints. One that a job is called like gives way to the job."""
    if wanted and (jobs or not any(blueprint.makes(wanted) for blueprint in BLUEPRINTS)):
        return
    every = discover(Path(options.root)) if wanted else jobs
    for blueprint in BLUEPRINTS:
        for dag in blueprint.dags(every, options):
            if dag.dag_id not in every and wanted in ("", dag.dag_id):
                yield dag


def _one(file: JobFile, runner: RunnerSpec, options: FactoryOptions) -> DAG:
    try:
        return _valid(file, runner, options)
    except InvalidConfig as wrong:
        return _invalid(file.dag_id, file.tenant, wrong.problems, options)
    except Exception as error:
        log.exception("no DAG of %s", file.path)
        return _unexpected(file, error, options)


def _valid(file: JobFile, runner: RunnerSpec, options: FactoryOptions) -> DAG:
    folder = Path(options.root)
    job = load_job(
        file.path,
        root=folder,
        environment=options.environment,
        mode=cast("Mode", options.mode),
        variables=os.environ,
    )
    if override := runner.schedule_for(file.path):
        job = replace(job, schedule=replace(override, tags={**job.schedule.tags, **override.tags}))
    return build(job, replace(options, concurrency=concurrency(job.tenant, folder, runner)))


def _invalid(dag_id: str, tenant: str, problems: Sequence[Problem], options: FactoryOptions) -> DAG:
    findings = [_finding(problem, options) for problem in problems if problem.severity == "error"]
    return build_invalid(dag_id, tenant, findings, "\n".join(map(str, problems)))


def _finding(problem: Problem, options: FactoryOptions) -> str:
    place = f"{shown(problem.path, options.root)}:{problem.line}:{problem.column}"
    return f"{code(place)} {text(problem.message)}" + (f" → {text(problem.remedy)}" if problem.remedy else "")


def _duplicate(dag_id: str, files: Sequence[JobFile], options: FactoryOptions) -> DAG:
    findings = [f"{code(shown(str(file.path), options.root))} makes the DAG {code(dag_id)} too" for file in files]
    message = f"several files make the DAG {dag_id}: {', '.join(str(file.path) for file in files)}; rename all but one"
    return build_invalid(dag_id, files[0].tenant, findings, message)


def _unexpected(file: JobFile, error: Exception, options: FactoryOptions) -> DAG:
    place = code(shown(str(file.path), options.root))
    what = str(error) if isinstance(error, DativoError) else f"{type(error).__name__}: {error}"
    report = "" if isinstance(error, DativoError) else " Please report this with the file."
    return build_invalid(file.dag_id, file.tenant, [f"{place} {text(what)}{report}"], f"{file.path}: {what}")
