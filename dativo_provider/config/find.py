"""Which job files a folder holds. Nothing is parsed where the path already tells tenant and name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dativo_provider.config.kinds import kind_of
from dativo_provider.config.places import SUFFIXES, normal
from dativo_provider.config.problems import InvalidConfig
from dativo_provider.config.yamlpos import parse

__all__ = ["JobFile", "find_jobs"]

_TENANT = re.compile(rb"^tenant_id:[ \t]*[\"']?([A-Za-z0-9_-]+)[\"']?[ \t]*(?:#.*)?\r?$", re.MULTILINE)
_LIKE_A_JOB = re.compile(
    rb"^(?:source_connector|target_connector|tenant_id|transformations|asset_path)[ \t]*:", re.MULTILINE
)
_NOT_JOBS = ("tenant", "defaults", "runner")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class JobFile:
    """`tenant` and `name` as the path (or a look at the file) tells them; whether they are valid says `load_job`."""

    path: Path
    tenant: str
    name: str

    @property
    def dag_id(self) -> str:
        """A legal DAG id even where the name is none, so that a bad file can be shown."""
        return f"{_UNSAFE.sub('_', self.tenant) or 'unknown'}.{_UNSAFE.sub('_', self.name)}"


def find_jobs(root: Path | str) -> list[JobFile]:
    """`tenants/<tenant>/jobs/*.yaml`, `jobs/<tenant>/*.yaml`, and jobs that lie flat in `root`, sorted by path.

    `root` may also be a tenant's folder or its `jobs` folder.
    """
    folder = normal(root)
    found = [*_by_tenant(folder), *_in_jobs(folder), *_flat(folder)]
    return sorted(found, key=lambda job: str(job.path))


def _by_tenant(root: Path) -> Iterator[JobFile]:
    tenants = root if root.name == "tenants" else root / "tenants"
    for tenant in _folders(tenants):
        for path in _yaml(tenant / "jobs"):
            yield JobFile(path, tenant.name, _name(path))
    if root.parent.name == "tenants":
        for path in _yaml(root / "jobs"):
            yield JobFile(path, root.name, _name(path))


def _in_jobs(root: Path) -> Iterator[JobFile]:
    """The older layout."""
    if root.parent.name == "tenants":
        return
    for tenant in _folders(root / "jobs"):
        for path in _yaml(tenant):
            yield JobFile(path, tenant.name, _name(path))


def _flat(root: Path) -> Iterator[JobFile]:
    """Files of the folder itself (and of its `jobs`), opened for their tenant; what is no job is left alone."""
    owner = root.parent.name if root.name == "jobs" and root.parent.parent.name == "tenants" else ""
    owner = owner or (root.name if root.parent.name == "jobs" else "")
    paths = [*_yaml(root), *([] if root.parent.name == "tenants" else _yaml(root / "jobs"))]
    for path in paths:
        if _name(path) in _NOT_JOBS:
            continue
        if owner:
            yield JobFile(path, owner, _name(path))
        elif (tenant := _tenant_in(path)) is not None:
            yield JobFile(path, tenant, _name(path))


def _tenant_in(path: Path) -> str | None:
    """The tenant a job file names; empty when it names none, None when the file is no job."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if match := _TENANT.search(content):
        return match[1].decode()
    try:
        data = parse(content, str(path)).data
    except InvalidConfig:
        return "" if _LIKE_A_JOB.search(content) else None
    return str(data.get("tenant_id") or "") if kind_of(data, str(path)) == "job" else None


def _name(path: Path) -> str:
    return path.stem.removesuffix(".job")


def _folders(folder: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(folder) if entry.is_dir()]


def _yaml(folder: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(folder) if entry.name.endswith(SUFFIXES) and entry.is_file()]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return [entry for entry in sorted(os.scandir(folder), key=lambda each: each.name) if entry.name[0] not in "._"]
    except OSError:
        return []
