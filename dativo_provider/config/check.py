"""Everything `dativo validate` knows: files and folders, told apart by content, every finding at its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from dativo_provider.config.contracts import examined
from dativo_provider.config.find import JobFile, find_jobs
from dativo_provider.config.jobs import examine
from dativo_provider.config.kinds import Kind, kind_of
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.places import SUFFIXES
from dativo_provider.config.policies import read_policy
from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.recipes import read_recipe, read_registry
from dativo_provider.config.runners import read_runner
from dativo_provider.config.shapes.job import Job
from dativo_provider.config.tenants import load_tenant
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, read, without_nulls

__all__ = ["check_paths"]

_SKIPPED = {".git", ".venv", "venv", "node_modules", "__pycache__", ".airflow", "build", "dist", "site-packages"}


def check_paths(paths: Iterable[Path | str]) -> list[Problem]:
    """Every problem of the files and folders, by place, each once. Files in folders that are none of ours are
    passed over; named ones are not."""
    found: list[Problem] = []
    for path in map(Path, paths):
        if path.is_dir():
            for file in _yaml_below(path):
                found += _checked(file, named=False)
            found += _twice(find_jobs(path))
        else:
            found += _checked(path, named=True)
    return sorted(dict.fromkeys(found), key=lambda each: (each.path, each.line, each.column))


def _yaml_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _SKIPPED:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _yaml_below(path)
        elif path.suffix in SUFFIXES and path.is_file():
            yield path


def _checked(path: Path, *, named: bool) -> list[Problem]:
    try:
        doc = read(path)
        kind = kind_of(doc.data, str(path.absolute()))
        if kind in ("unknown", "other"):
            return _strange(doc, kind, named=named)
        return _CHECKS[kind](path, doc)
    except InvalidConfig as invalid:
        return list(invalid.problems)


def _strange(doc: Document, kind: Kind, *, named: bool) -> list[Problem]:
    findings, keys = Findings(), ", ".join(list(doc.data)[:5])
    if kind == "other":
        findings.warn(Within(doc), (), f"this version does not read files with {keys}")
    elif named:
        findings.error(
            Within(doc), (), f"this is no file of Dativo's (its keys: {keys})",
            "a job has `source_connector:`, a contract `schema:`, a runner `runner:`, a recipe `type:` and `roles:`",
        )  # fmt: skip
    return findings.problems


def _job(path: Path, doc: Document) -> list[Problem]:
    """Once as it stands, and once for every environment it has an overlay for."""
    environments = doc.data.get("environments")
    names = ["", *environments] if isinstance(environments, dict) else [""]
    return [problem for name in names for problem in examine(path, environment=str(name))[1].problems]


def _contract(_: Path, doc: Document) -> list[Problem]:
    return list(examined(doc)[1])


def _defaults(_: Path, doc: Document) -> list[Problem]:
    findings = Findings()
    shaped(Job, without_nulls(doc.data), Within(doc), findings)
    return findings.problems


def _recipe(path: Path, _: Document) -> list[Problem]:
    read_recipe(path)
    return []


def _spec(_: Path, __: Document) -> list[Problem]:
    return []  # the connectors room knows its shape


def _registry(path: Path, _: Document) -> list[Problem]:
    read_registry(path)
    return []


def _runner(_: Path, doc: Document) -> list[Problem]:
    return read_runner(doc)[1].problems


def _tenant(path: Path, _: Document) -> list[Problem]:
    return list(load_tenant(path).problems)


def _policy(_: Path, doc: Document) -> list[Problem]:
    findings = Findings()
    read_policy(doc, findings)
    return findings.problems


_CHECKS: dict[Kind, Callable[[Path, Document], list[Problem]]] = {
    "job": _job,
    "odcs": _contract,
    "asset": _contract,
    "checks": _contract,
    "defaults": _defaults,
    "recipe": _recipe,
    "spec": _spec,
    "manifest": _spec,
    "registry": _registry,
    "runner": _runner,
    "tenant": _tenant,
    "policy": _policy,
}


def _twice(jobs: Iterable[JobFile]) -> list[Problem]:
    """Two files that would make one DAG."""
    every = list(jobs)
    count = Counter(job.dag_id for job in every)
    return [
        Problem(str(job.path), 1, 1, "", f"another file also makes the DAG '{job.dag_id}'", "rename one of the two")
        for job in every
        if count[job.dag_id] > 1
    ]
