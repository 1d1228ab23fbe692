"""What the deployment says about every DAG, as opposed to what the job says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FactoryOptions"]


@dataclass(frozen=True)
class FactoryOptions:
    """`root` is the folder of the loader. `concurrency` bounds a tenant's tasks (0: no bound)."""

    root: str = ""
    environment: str = ""
    mode: str = "self_hosted"
    catalog: str = "dativo"
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
            manage_pools=conf.getboolean("dativo", "manage_pools", fallback=False),
            manage_roles=conf.getboolean("dativo", "manage_roles", fallback=False),
        )
