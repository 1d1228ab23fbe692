"""`dativo doctor`: checks the deployment before the data does, one line each with the remedy.

Makes and removes a scratch table and a few files. Exit code 0 when nothing failed, 2 else.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli import context
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.model.job import JobSpec
    from dativo_provider.pipeline.doctor import Finding, Patient


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", type=Path, metavar="DAGS_DIR", help="check its jobs too")
    parser.add_argument("--sources", action="store_true", help="connect to the source of every job as well")
    parser.add_argument("--json", action="store_true", help="a list of {check, status, message, remedy}")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import print_json
    from dativo_provider.pipeline.doctor import examine

    found = []
    for finding in examine(patient_of(args)):
        found.append(finding)
        if not args.json:
            show(finding, args.quiet)
    if args.json:
        print_json([asdict(finding) for finding in found])
    failed = any(finding.status == "fail" for finding in found)
    return int(ExitCode.FAILED if failed else ExitCode.OK)


def patient_of(args: argparse.Namespace) -> Patient:
    from dativo_provider.pipeline.doctor import Patient

    executor, distributed = _airflow()  # first: importing Airflow sets up logs in its own way
    broken: list[str] = []
    jobs = tuple(_jobs(args.folder, args, broken)) if args.folder else ()
    ctx = context.run_context(args, jobs[0] if jobs else None)
    ctx.settings = replace(ctx.settings, distributed=ctx.settings.distributed or distributed)
    return Patient(ctx, jobs, tuple(broken), args.sources, executor, _pools)


def _airflow() -> tuple[str, bool]:
    """Its executors, and whether their tasks may run on several machines."""
    if find_spec("airflow") is None:
        return "", False
    from dativo_provider.hooks.deployment import executors
    from dativo_provider.hooks.settings import is_distributed

    return executors(), is_distributed(context.environment())


def _pools() -> Collection[str] | None:
    if find_spec("airflow") is None:
        return None
    from dativo_provider.hooks.deployment import known_pools

    return known_pools()


def _jobs(folder: Path, args: argparse.Namespace, broken: list[str]) -> Iterator[JobSpec]:
    from dativo_provider.config import InvalidConfig, find_jobs
    from dativo_provider.errors import ConfigurationError

    if not folder.is_dir():
        raise ConfigurationError("there is no such folder", where=str(folder))
    for file in find_jobs(folder):
        try:
            yield context.load_job(file.path, args)
        except InvalidConfig:
            broken.append(str(file.path))


def show(finding: Finding, quiet: bool) -> None:
    from dativo_provider.cli.output import say

    if finding.status == "ok" and quiet:
        return
    remedy = f"\n{'':16}→ {finding.remedy}" if finding.remedy else ""
    say(f"{finding.status:4}  {finding.check:9} {finding.message}{remedy}")
