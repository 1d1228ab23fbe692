"""What the deployment says about every DAG, as opposed to what the job says."""

from __future__ import annotations

import os
from dataclasses import dataclass

from dativo_provider.config import settings_from
from dativo_provider.hooks.settings import default_home

__all__ = ["FactoryOptions"]


@dataclass(frozen=True)
class FactoryOptions:
    """`root` is the folder of the loader. `concurrency` bounds a tenant's tasks (0: no bound). `warehouse` is empty
    where only a run can know it."""

    root: str = ""
    environment: str = ""
    mode: str = "self_hosted"
    catalog: str = "dativo"
    warehouse: str = ""
    manage_pools: bool = False
    manage_roles: bool = False
    concurrency: int = 0

    @classmethod
    def from_airflow(cls, root: str) -> FactoryOptions:
        """`[dativo]` of airflow.cfg; reads no secret."""
        from airflow.sdk.configuration import conf

        return cls(
            root=root,
            environment=conf.get("dativo", "environment", fallback=""),
            mode=conf.get("dativo", "mode", fallback="self_hosted"),
            catalog=conf.get("dativo", "catalog_name", fallback="dativo"),
            warehouse=_warehouse(conf.get("dativo", "home", fallback=""), conf.get("dativo", "warehouse", fallback="")),
            manage_pools=conf.getboolean("dativo", "manage_pools", fallback=False),
            manage_roles=conf.getboolean("dativo", "manage_roles", fallback=False),
        )


def _warehouse(home: str, warehouse: str) -> str:
    """What a connection holds is a secret, and is not asked for here."""
    if warehouse.startswith("connection:"):
        return ""
    return settings_from({"home": home or default_home(os.environ), "warehouse": warehouse}).catalog.warehouse
