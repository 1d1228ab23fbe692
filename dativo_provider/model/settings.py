"""What a deployment decides: where catalog, warehouse and metadata store are. Filled by `config.settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CatalogSettings", "Settings", "StoreSettings"]


@dataclass(frozen=True)
class CatalogSettings:
    """PyIceberg catalog `properties` (`type`, `uri`, ...) and the warehouse root URI.

    `embedded`: it lives under DATIVO_HOME."""

    name: str = "dativo"
    properties: Mapping[str, str] = field(default_factory=dict)
    warehouse: str = ""
    embedded: bool = True


@dataclass(frozen=True)
class StoreSettings:
    """`leaf` is `sql` or `lake`; `uri` a SQLAlchemy URL or a folder URI."""

    leaf: str = "sql"
    uri: str = ""
    embedded: bool = True


@dataclass(frozen=True)
class Settings:
    home: str
    catalog: CatalogSettings = CatalogSettings()
    store: StoreSettings = StoreSettings()
    mode: str = "self_hosted"
    memory_limit_mb: int = 1024
    threads: int = 2
    parties: int = 1  # how many extract at once in this process, and share its memory
    manage_pools: bool = False
    manage_roles: bool = False
    state_encryption: Mapping[str, Any] = field(default_factory=dict, repr=False)  # key, key_id, old_keys
    envs: str = ""  # folder of the environments of tools that cannot live in this one
    notifiers: tuple[str, ...] = ()  # classes of Airflow's notifiers that jobs may name
    distributed: bool = False  # tasks of one run may execute on several machines
