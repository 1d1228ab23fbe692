"""Which DATIVO_HOME this is: embedded catalogs and warehouses are good for one machine only (ARCHITECTURE 5)."""

from __future__ import annotations

import uuid

from dativo_provider.errors import ConfigurationError
from dativo_provider.files import file_uri, join, open_files
from dativo_provider.model.run import Plan
from dativo_provider.model.settings import Settings

__all__ = ["embedded", "guard_plan", "guard_settings", "home_identity"]

_REMEDY = {
    "catalog": "catalog_uri (DATIVO_CATALOG_URI)",
    "warehouse": "warehouse (DATIVO_WAREHOUSE)",
    "store": "store_uri (DATIVO_STORE_URI)",
}


def embedded(settings: Settings) -> tuple[str, ...]:
    """What lives under DATIVO_HOME: of `catalog`, `warehouse` and `store`."""
    remote = "://" in settings.catalog.warehouse and not settings.catalog.warehouse.startswith("file:")
    found = {
        "catalog": settings.catalog.embedded,
        "warehouse": settings.catalog.embedded and not remote,
        "store": settings.store.embedded,
    }
    return tuple(name for name, here in found.items() if here)


def home_identity(settings: Settings) -> str:
    """The id in `<home>/home.id`, made on first use; empty when catalog and warehouse live elsewhere."""
    if not settings.catalog.embedded:
        return ""
    uri = join(file_uri(settings.home), "home.id")
    files = open_files(uri)
    if not files.exists(uri):
        files.write_new(uri, uuid.uuid4().hex.encode())
    return files.read(uri).decode().strip()


def guard_settings(settings: Settings) -> None:
    """Raises `ConfigurationError` where tasks may run on several machines but their state is on one."""
    if settings.distributed and settings.catalog.embedded:
        raise _must_be_shared(settings, "tasks of this deployment may run on several machines")


def guard_plan(plan: Plan, settings: Settings) -> None:
    """Raises `ConfigurationError` when this process sees another home than the one `plan` was made in."""
    guard_settings(settings)
    here = home_identity(settings)
    if plan.home != here:
        raise _must_be_shared(settings, f"this task runs in another DATIVO_HOME ({settings.home}) than its plan")


def _must_be_shared(settings: Settings, why: str) -> ConfigurationError:
    local = embedded(settings) or ("catalog", "warehouse")
    wanted = ", ".join(_REMEDY[name] for name in local)
    return ConfigurationError(
        f"{why}, but {', '.join(local)} would be in a local folder of each",
        where=settings.home,
        remedy=f"set {wanted} to places every worker reaches, in [dativo] or the environment; nothing was read",
    )
