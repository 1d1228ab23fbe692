"""The table of a stream as Airflow's asset: who publishes into it wakes whoever waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dativo_provider.config.known import BUILT_IN
from dativo_provider.hooks.asset_uri import folder_asset_uri, table_uri
from dativo_provider.lake.plain.layout import plain_name, root_of

if TYPE_CHECKING:
    from airflow.sdk import Asset

    from dativo_provider.model.job import JobSpec, StreamSpec

__all__ = ["table_asset"]


def table_asset(job: JobSpec, stream: StreamSpec, *, catalog: str, warehouse: str) -> Asset:
    """By its catalog, or where there is none by its folder. `catalog` is the name of the deployment's, `warehouse` its
    root."""
    from airflow.sdk import Asset

    if (known := BUILT_IN.get(job.target.connector)) and known.place:
        name = plain_name(job, stream)
        root = root_of(job.tenant, job.target.warehouse, warehouse)
        return Asset(name=f"{job.tenant}.{name}", uri=folder_asset_uri(job.tenant, root, name), group=job.tenant)
    namespace = job.target.namespace or job.tenant
    uri = table_uri(str(job.target.catalog.get("name") or catalog), namespace, stream.table)
    return Asset(name=f"{namespace}.{stream.table}", uri=uri, group=job.tenant)
