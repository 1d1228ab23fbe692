"""tenant.yaml: what a tenant may reach. It belongs to the operator; jobs and contracts belong to the tenant."""

from __future__ import annotations

from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, Field

from dativo_provider.config.shapes.base import Names, Shape, Timezone, Wrong, schema_key
from dativo_provider.config.shapes.job import Cron, Id
from dativo_provider.config.shapes.maintenance import Maintenance
from dativo_provider.config.shapes.target import StateEncryption

__all__ = ["Roots", "Tenant", "TenantMaintenance"]

_PARTS = ("tenant", "domain", "environment")


def _namespace(template: str) -> str:
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        parts = [("", "?", "", None)]
    if any(name not in (None, *_PARTS) or spec or conversion for _, name, spec, conversion in parts):
        raise Wrong(f"'{template}' is no template", "it may hold {tenant}, {domain} and {environment}")
    if "{tenant}" not in template or "." in template:
        raise Wrong(
            f"'{template}' is not one tenant's own namespace", "hold {tenant} and no dots, e.g. {tenant}_{domain}"
        )
    return template


class Roots(Shape):
    """Folders and prefixes below which the tenant may read and write."""

    files: Names = Field(
        default=[], description="Folders or prefixes (`s3://bucket/in/`) of source files. Relative ones: to this file."
    )
    warehouses: Names = Field(default=[], description="Folders or prefixes that `target.warehouse` may lie under.")


class TenantMaintenance(Maintenance):
    """Care of the tenant's tables; a job's own `maintenance:` goes over it."""

    enabled: bool = Field(default=True, description="false: no maintenance DAG for this tenant.")
    manual: bool = Field(default=False, description="true: the DAG has no schedule and is started by hand.")
    cron: Cron = Field(default="17 2 * * *", description="Schedule of the DAG.")
    timezone: Timezone = Field(default="UTC", description="IANA time zone in which `cron` is read.")


class TenantFreshness(Shape):
    """A DAG that asks whether rows keep coming."""

    enabled: bool = Field(default=True, description="false: no such DAG.")
    cron: Cron = Field(default="41 * * * *", description="Schedule of the DAG.")
    timezone: Timezone = Field(default="UTC", description="IANA time zone in which `cron` is read.")


class Tenant(Shape):
    """One tenant and its limits."""

    schema_: str = schema_key()
    tenant_id: Id = Field(default="", description="Id of the tenant; default: the name of its folder.")
    name: str = Field(default="", description="For people.")
    description: str = Field(default="", description="For people.")
    namespace: Annotated[str, AfterValidator(_namespace)] = Field(
        default="{tenant}", description="Namespace of the tables: `{tenant}`, `{tenant}_{domain}`, …"
    )
    namespaces: Names = Field(default=[], description="Further namespaces that jobs may name.")
    warehouse: str = Field(default="", description="Root of this tenant's tables; default: the deployment's.")
    roots: Roots | None = Field(default=None, description="Where the tenant may read and write.")
    variables: Names = Field(
        default=[], description="Environment variables that `${VAR}` may read; a trailing `*` allows a prefix."
    )
    connections: Names = Field(
        default=[],
        description="Airflow connection ids beside those that begin with `<tenant>_`; a trailing `*` allows a prefix.",
    )
    owners: Names = Field(default=[], description="Owners of the tenant's DAGs.")
    tags: dict[str, str] = Field(default={}, description="Tags of every DAG of the tenant.")
    domain: str = Field(default="", description="Domain of contracts that name none.")
    state_encryption: StateEncryption | None = Field(
        default=None, description="Encrypts cursors at rest; a job may name a key of its own."
    )
    concurrency: int | None = Field(default=None, ge=1, le=1000, description="Tasks of this tenant at the same time.")
    maintenance: TenantMaintenance | None = Field(default=None, description="Care of the tenant's tables.")
    freshness: TenantFreshness | None = Field(
        default=None, description="Makes the DAG `<tenant>.freshness`, which notices when nothing runs at all."
    )
