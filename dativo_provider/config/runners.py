"""runner.yaml as the factory and the secrets room see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.places import normal
from dativo_provider.config.shapes.runner import Runner, RunnerFile, RunnerSchedule, SecretsBlock
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, Key, read, without_nulls
from dativo_provider.model.job import ScheduleSpec

__all__ = ["RunnerSpec", "ScheduledJob", "SecretsSpec", "load_runner", "read_runner"]

_FILES = ("runner.yaml", "runner.yml", "configs/runner.yaml", "config/runner.yaml")


@dataclass(frozen=True)
class SecretsSpec:
    """`options` is the block of the chosen provider, its references unresolved."""

    provider: str = "env"
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ScheduledJob:
    """A schedule of the runner; `config` is the job's path as written."""

    name: str
    config: str
    schedule: ScheduleSpec


@dataclass(frozen=True)
class RunnerSpec:
    path: str = ""
    mode: str = "orchestrated"
    schedules: tuple[ScheduledJob, ...] = ()
    concurrency_per_tenant: int = 1
    secrets: SecretsSpec = SecretsSpec()
    environment: str = ""
    warnings: tuple[str, ...] = ()

    def schedule_for(self, job: str | Path) -> ScheduleSpec | None:
        """The schedule that overrides the job's own. Paths are compared from this file's folder, else by their
        last two parts (`acme/orders.yaml`): the file may have been written for another machine."""
        wanted = normal(job)
        for each in self.schedules:
            if normal(Path(self.path).parent / each.config) == wanted:
                return each.schedule
        ends = [each for each in self.schedules if _tail(each.config) == _tail(str(wanted))]
        return ends[0].schedule if len(ends) == 1 else None


def _tail(path: str) -> tuple[str, ...]:
    """Tenant and file: `jobs` between them does not count."""
    parts = [part for part in PurePath(path).parts if part != "jobs"]
    return tuple(parts[-2:])


def load_runner(path: Path | str) -> RunnerSpec:
    """From a file, or from the runner.yaml of a folder; a folder without one gives the defaults.

    Raises `InvalidConfig`.
    """
    place = Path(path)
    if place.is_dir():
        found = next((place / name for name in _FILES if (place / name).is_file()), None)
        if found is None:
            return RunnerSpec()
        place = found
    spec, findings = read_runner(read(place))
    findings.raise_errors()
    assert spec is not None
    return spec


def read_runner(doc: Document) -> tuple[RunnerSpec | None, Findings]:
    findings = Findings()
    data = without_nulls(doc.data)
    prefix: tuple[Key, ...] = ("runner",) if "runner" in data else ()
    if prefix:
        outer = shaped(RunnerFile, data, Within(doc), findings)
        shape = outer.runner if outer else None
    else:
        shape = shaped(Runner, data, Within(doc), findings)
    if shape is None:
        return None, findings
    return _spec(shape, doc, prefix, findings), findings


def _spec(shape: Runner, doc: Document, prefix: tuple[Key, ...], findings: Findings) -> RunnerSpec:
    at, orchestrator = Within(doc, prefix), shape.orchestrator
    if shape.schedules and orchestrator and orchestrator.schedules:
        findings.error(at, ("schedules",), "schedules stand here and in orchestrator", "keep one list", value=False)
    keys: tuple[Key, ...] = ("schedules",) if shape.schedules else ("orchestrator", "schedules")
    listed = shape.schedules or (orchestrator.schedules if orchestrator else [])
    made = tuple(_scheduled(each, at, (*keys, number), findings) for number, each in enumerate(listed))
    _no_name_twice(made, at, keys, findings)
    if orchestrator and orchestrator.type == "dagster":
        findings.warn(
            at, ("orchestrator", "type"), "Airflow runs these schedules, not dagster", "write `type: airflow`"
        )
    at_once = shape.concurrency_per_tenant or (orchestrator.concurrency_per_tenant if orchestrator else 1)
    return RunnerSpec(
        path=doc.path,
        mode=shape.mode,
        schedules=made,
        concurrency_per_tenant=at_once,
        secrets=_secrets(shape.secrets, at, findings),
        environment=shape.environment,
        warnings=findings.warnings,
    )


def _scheduled(given: RunnerSchedule, at: Within, keys: tuple[Key, ...], findings: Findings) -> ScheduledJob:
    if given.cron and given.interval_seconds:
        findings.error(at, (*keys, "interval_seconds"), "a schedule has both cron and interval_seconds", "keep one")
    if not given.cron and not given.interval_seconds:
        findings.error(at, keys, f"schedule '{given.name}' has neither cron nor interval_seconds", "add one of the two")
    spec = ScheduleSpec(
        cron=given.cron or "",
        interval_seconds=given.interval_seconds or 0,
        enabled=given.enabled,
        timezone=given.timezone,
        max_concurrent_runs=given.max_concurrent_runs,
        tags=dict(given.tags),
    )
    return ScheduledJob(given.name, given.config, spec)


def _no_name_twice(schedules: tuple[ScheduledJob, ...], at: Within, keys: tuple[Key, ...], findings: Findings) -> None:
    for what, key in (("name", "name"), ("config", "config")):
        seen: set[str] = set()
        for number, each in enumerate(schedules):
            value = getattr(each, key)
            if value in seen:
                findings.error(at, (*keys, number, key), f"two schedules have the {what} '{value}'", "keep one of them")
            seen.add(value)


def _secrets(given: SecretsBlock | None, at: Within, findings: Findings) -> SecretsSpec:
    if given is None:
        return SecretsSpec()
    if given.type and given.type != given.provider and given.provider != "env":
        findings.error(at, ("secrets", "type"), "secrets has both provider and type", "keep `provider`", value=False)
    provider = given.provider if given.provider != "env" or not given.type else given.type
    return SecretsSpec(provider, dict(getattr(given, provider)))
