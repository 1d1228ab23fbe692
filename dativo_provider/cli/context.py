"""The engine's ports, filled from the environment. The only place of the CLI that reads it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from dativo_provider.config import RunnerSpec
    from dativo_provider.model.context import Connections, RunContext, Secrets
    from dativo_provider.model.job import JobSpec
    from dativo_provider.model.settings import Settings
    from dativo_provider.vocabulary import Mode

__all__ = ["add_arguments", "load_job", "places", "run_context", "settings"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of every verb that works with a job."""
    parser.add_argument("--tenant-id", metavar="T", help="refuse jobs of any other tenant")
    parser.add_argument("--mode", choices=("self_hosted", "cloud"), help="default: DATIVO_MODE, else self_hosted")
    parser.add_argument(
        "--environment", metavar="E", help="overlay of the job's `environments:`; default: DATIVO_ENVIRONMENT"
    )
    parser.add_argument("--runner-config", type=Path, metavar="F", help="runner.yaml; default: the one above the job")
    parser.add_argument("--secret-manager", metavar="P", help="where secrets are; default: runner.yaml, else env")
    parser.add_argument("--secret-manager-config", metavar="F", help="its options: a YAML or JSON file, or {…} itself")
    parser.add_argument("--secrets-dir", type=Path, metavar="D", help="folder of the filesystem secrets")


def environment() -> dict[str, str]:
    return dict(os.environ)


def settings(args: argparse.Namespace | None = None) -> Settings:
    """`AIRFLOW__DATIVO__X` before `DATIVO_X`, as Airflow itself has it."""
    from dativo_provider.config import settings_from

    mode = getattr(args, "mode", None)
    made = settings_from(_setting_values(environment()))
    return replace(made, mode=mode) if mode else made


def places() -> Settings:
    """Home and environments alone, for which no connection is looked up."""
    from dativo_provider.config import settings_from

    variables, names = environment(), ("home", "envs")
    values = {name: variables.get(f"AIRFLOW__DATIVO__{name.upper()}") or variables.get(f"DATIVO_{name.upper()}", "")
              for name in names}  # fmt: skip
    return settings_from(values)


def _setting_values(variables: Mapping[str, str]) -> dict[str, str]:
    from dativo_provider.get_provider_info import SETTING_NAMES

    named = ((name, (f"AIRFLOW__DATIVO__{name.upper()}", f"DATIVO_{name.upper()}")) for name in SETTING_NAMES)
    found = {name: next((variables[key] for key in keys if variables.get(key)), "") for name, keys in named}
    return {name: _looked_up(name, value, variables) for name, value in found.items() if value}


def _looked_up(name: str, value: str, variables: Mapping[str, str]) -> str:
    """`connection:<id>` stands for what that connection holds, as in Airflow."""
    from dativo_provider.hooks import settings as of_airflow

    return of_airflow.looked_up(name, value, connections(variables))


def connections(variables: Mapping[str, str]) -> Connections:
    from dativo_provider.cli.connections import EnvironmentConnections, from_airflow

    return EnvironmentConnections(variables, elsewhere=from_airflow)


def load_job(path: Path, args: argparse.Namespace) -> JobSpec:
    """Raises `InvalidConfig`, or `ConfigurationError` for a job of another tenant than `--tenant-id`."""
    from dativo_provider.config import load_job as load
    from dativo_provider.errors import ConfigurationError

    made = settings(args)
    variables = environment()
    chosen = args.environment or _setting_values(variables).get("environment", "")
    job = load(path, environment=chosen, mode=cast("Mode", made.mode), variables=variables)
    if args.tenant_id and args.tenant_id != job.tenant:
        raise ConfigurationError(
            f"the job belongs to tenant '{job.tenant}', not '{args.tenant_id}'", where=str(path),
            remedy="correct --tenant-id, or leave it out",
        )  # fmt: skip
    return job


def run_context(args: argparse.Namespace, job: JobSpec | None) -> RunContext:
    """The surroundings of one job (None: of the deployment), with logs set up and secrets masked."""
    from dativo_provider.model.context import RunContext
    from dativo_provider.observability import LoggingMetrics

    variables = environment()
    _set_up_logs(args)
    return RunContext(
        settings=settings(args),
        secrets=_secrets(args, job, variables),
        connections=connections(variables),
        metrics=LoggingMetrics(),
        variables=variables,
        labels={"tenant": job.tenant, "job": job.name, "connector": job.source.connector} if job else {},
    )


def _set_up_logs(args: argparse.Namespace) -> None:
    """JSON lines where nobody looks; on a terminal warnings only, unless asked for more."""
    import logging

    from dativo_provider.observability import setup_logging

    usual = logging.WARNING if sys.stderr.isatty() else logging.INFO
    setup_logging(level=logging.ERROR if args.quiet else logging.DEBUG if args.verbose else usual)


def _secrets(args: argparse.Namespace, job: JobSpec | None, variables: Mapping[str, str]) -> Secrets:
    """As the options say, else runner.yaml, else the environment."""
    from dativo_provider.observability import MASKER
    from dativo_provider.secrets import open_secrets
    from dativo_provider.secrets.open import ALIASES

    found = _runner(args, job).secrets
    asked = getattr(args, "secret_manager", None) or variables.get("DATIVO_SECRET_MANAGER") or found.provider
    provider = ALIASES.get(asked.lower(), asked.lower())
    options = dict(found.options) if provider == found.provider else {}
    options |= _secret_options(args, variables, provider)
    if folder := getattr(args, "secrets_dir", None):
        options["secrets_dir"] = str(folder)
    said = {"provider": provider, provider: options}
    return open_secrets(said, variables, MASKER.add, connections=connections(variables))


def _secret_options(args: argparse.Namespace, variables: Mapping[str, str], provider: str) -> dict[str, Any]:
    """`--secret-manager-config`: a file, or the mapping itself. Raises `ConfigurationError`."""
    import yaml

    from dativo_provider.errors import ConfigurationError

    given = getattr(args, "secret_manager_config", None) or variables.get("DATIVO_SECRET_MANAGER_CONFIG") or ""
    if not given:
        return {}
    try:
        found = yaml.safe_load(given if given.lstrip().startswith("{") else Path(given).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as problem:
        found = problem
    if not isinstance(found, dict):
        raise ConfigurationError(
            "--secret-manager-config is neither a file with a mapping nor a mapping", remedy="see docs/secrets.md"
        )
    inner = found.get(provider)
    return inner if isinstance(inner, dict) else found


def _runner(args: argparse.Namespace, job: JobSpec | None) -> RunnerSpec:
    """The file that is named, else the one in the folder that holds the job's `tenants/` or `jobs/`."""
    from dativo_provider.config import RunnerSpec, load_runner

    if named := getattr(args, "runner_config", None):
        return load_runner(named)
    if job is None or not job.path:
        return RunnerSpec()
    from dativo_provider.config.places import place_of

    return load_runner(place_of(job.path, None).root)
