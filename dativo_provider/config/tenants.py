"""tenant.yaml and the limits it sets; without one, a tenant reaches what carries its own name and no more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.maintenance import schedule_of, thresholds
from dativo_provider.config.places import Place, tenants_below
from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.roots import absolute
from dativo_provider.config.shapes.tenant import Tenant
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import read, without_nulls
from dativo_provider.model.maintenance import MaintenanceSchedule

__all__ = ["TenantSpec", "load_tenant", "tenant_for"]

_FILES = ("tenant.yaml", "tenant.yml")


@dataclass(frozen=True)
class TenantSpec:
    """`file_roots` and `warehouse_roots` are absolute folders or URI prefixes; empty lists allow nothing there."""

    tenant: str
    path: str = ""
    name: str = ""
    description: str = ""
    namespace_template: str = "{tenant}"
    namespaces: tuple[str, ...] = ()
    warehouse: str = ""
    file_roots: tuple[str, ...] = ()
    warehouse_roots: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    domain: str = ""
    concurrency: int | None = None
    maintenance: Mapping[str, Any] = field(default_factory=dict)  # of `MaintenanceSpec`, as far as written
    upkeep: MaintenanceSchedule = MaintenanceSchedule()
    freshness: MaintenanceSchedule | None = None
    encryption: Mapping[str, Any] = field(default_factory=dict)
    rivals: tuple[str, ...] = ()  # tenants whose names begin with this one's and `_`
    problems: tuple[Problem, ...] = ()

    @property
    def own_variables(self) -> tuple[str, ...]:
        """What `${VAR}` may read: `<TENANT>_*` and the allow-list."""
        return (f"{self.tenant.upper()}_*", *self.variables)

    def namespace(self, domain: str, environment: str) -> str:
        parts = {"tenant": self.tenant, "domain": domain or self.domain, "environment": environment}
        made = re.sub(r"[^a-z0-9]+", "_", self.namespace_template.format_map(parts).lower())
        return made.strip("_") or self.tenant

    def owns(self, name: str) -> bool:
        """Whether a namespace or connection id is this tenant's by its prefix, and not one of a rival's."""
        mine = name == self.tenant or name.startswith(f"{self.tenant}_")
        return mine and not any(name == rival or name.startswith(f"{rival}_") for rival in self.rivals)

    def may_publish_to(self, namespace: str) -> bool:
        return self.owns(namespace) or namespace in self.namespaces

    def may_connect(self, connection_id: str) -> bool:
        listed = any(
            connection_id == each or (each.endswith("*") and connection_id.startswith(each[:-1]))
            for each in self.connections
        )
        return listed or (self.owns(connection_id) and connection_id != self.tenant)


def load_tenant(path: Path) -> TenantSpec:
    """The tenant of a tenant.yaml. Raises `InvalidConfig`."""
    stat = path.stat() if path.exists() else None
    found = _cached(path, stat.st_mtime_ns if stat else 0, stat.st_size if stat else 0)
    if isinstance(found, InvalidConfig):
        raise InvalidConfig(found.problems)
    return found


def tenant_file(place: Place, tenant: str) -> Path | None:
    folders = [place.folder] if place.folder and place.tenant == tenant else []
    for folder in (*folders, place.root / "tenants" / tenant):
        for name in _FILES:
            if (folder / name).is_file():
                return folder / name
    return None


def tenant_for(place: Place, tenant: str) -> TenantSpec:
    """The limits that hold for a job at `place`. Raises `InvalidConfig` for a broken tenant.yaml."""
    path = tenant_file(place, tenant)
    found = _load_shown(path, place) if path else TenantSpec(tenant)
    rivals = tuple(sorted(each for each in tenants_below(place.root) if each.startswith(f"{tenant}_")))
    own = str(place.folder if place.exclusive else place.root)
    return _completed(found, tenant, rivals, own)


def _load_shown(path: Path, place: Place) -> TenantSpec:
    """`load_tenant`, with findings that name the file in the manner the job was named."""
    try:
        found = load_tenant(path)
    except InvalidConfig as invalid:
        raise InvalidConfig(_shown(invalid.problems, place)) from None
    return replace(found, problems=_shown(found.problems, place)) if found.problems else found


def _shown(problems: tuple[Problem, ...], place: Place) -> tuple[Problem, ...]:
    return tuple(replace(problem, path=place.shown(problem.path)) for problem in problems)


def _completed(found: TenantSpec, tenant: str, rivals: tuple[str, ...], own: str) -> TenantSpec:
    return replace(
        found,
        tenant=tenant,
        rivals=rivals,
        file_roots=found.file_roots or (own,),
        warehouse_roots=found.warehouse_roots or (own,),
    )


@lru_cache(maxsize=512)
def _cached(path: Path, _mtime: int, _size: int) -> TenantSpec | InvalidConfig:
    try:
        return _read(path)
    except InvalidConfig as invalid:
        return invalid


def _read(path: Path) -> TenantSpec:
    doc, findings = read(path), Findings()
    at = Within(doc)
    shape = shaped(Tenant, without_nulls(doc.data), at, findings)
    folder = path.parent.name
    if shape and shape.tenant_id and path.parent.parent.name == "tenants" and shape.tenant_id != folder:
        findings.error(at, ("tenant_id",), f"the folder says the tenant is '{folder}'", "remove tenant_id")
    if shape and shape.tenant_id in ("global", "all"):
        findings.error(at, ("tenant_id",), f"'{shape.tenant_id}' is reserved for shared secrets", "choose another")
    for key, names in (("variables", shape.variables), ("connections", shape.connections)) if shape else ():
        if "*" in names:
            findings.warn(at, (key,), f"'*' in {key} lets the tenant reach those of every other tenant", "name them")
    findings.raise_errors()
    assert shape is not None
    return _spec(shape, path, tuple(findings.problems))


def _spec(shape: Tenant, path: Path, problems: tuple[Problem, ...]) -> TenantSpec:
    return TenantSpec(
        tenant=shape.tenant_id or path.parent.name,
        path=str(path),
        name=shape.name,
        description=shape.description,
        namespace_template=shape.namespace,
        namespaces=tuple(shape.namespaces),
        warehouse=absolute(shape.warehouse, path.parent) if shape.warehouse else "",
        file_roots=tuple(absolute(root, path.parent) for root in (shape.roots.files if shape.roots else ())),
        warehouse_roots=tuple(absolute(root, path.parent) for root in (shape.roots.warehouses if shape.roots else ())),
        variables=tuple(shape.variables),
        connections=tuple(shape.connections),
        owners=tuple(shape.owners),
        tags=dict(shape.tags),
        domain=shape.domain,
        concurrency=shape.concurrency,
        maintenance=thresholds(shape.maintenance),
        upkeep=schedule_of(shape.maintenance),
        freshness=MaintenanceSchedule(**shape.freshness.model_dump()) if shape.freshness else None,
        encryption=shape.state_encryption.model_dump() if shape.state_encryption else {},
        problems=problems,
    )
