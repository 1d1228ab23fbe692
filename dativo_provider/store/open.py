"""Which store a deployment has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dativo_provider.errors import ConfigurationError
from dativo_provider.files import file_uri, join, open_files
from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import Settings, StoreSettings
from dativo_provider.store.base import Store
from dativo_provider.store.best_effort import BestEffort
from dativo_provider.store.spool import Spool

__all__ = ["connect", "open_store", "store_settings", "upgrade"]

_NO_PROPERTIES: Mapping[str, str] = {}


def open_store(ctx: RunContext) -> BestEffort:
    """The store of a run: opened at the first use, writes never fail. Reads raise as `connect` does."""
    settings = store_settings(ctx.settings)
    properties = ctx.settings.catalog.properties
    return BestEffort(lambda: connect(settings, properties), _spool(ctx.settings), settings.uri)


def connect(settings: StoreSettings, properties: Mapping[str, str] = _NO_PROPERTIES) -> Store:
    """The store itself. `properties` are PyIceberg's (`s3.endpoint`, ...), for a store of files.

    Raises `ConfigurationError` when a server's tables are not of this version; a file upgrades itself.
    """
    if not settings.uri:
        raise ConfigurationError("no address for the metadata store", remedy="set `store_uri`, or `home`")
    if settings.leaf == "lake":
        from dativo_provider.store.lake import LakeStore

        return LakeStore(open_files(settings.uri, properties), join(settings.uri, "store"))
    from dativo_provider.store.sql import SqlStore

    return SqlStore(settings.uri)


def upgrade(settings: StoreSettings) -> str:
    """Brings the tables to this version; the revision. Nothing to do, and empty, for a store of files."""
    if settings.leaf == "lake":
        return ""
    from dativo_provider.store.engine import open_engine, store_url
    from dativo_provider.store.revisions import upgrade_engine

    return upgrade_engine(open_engine(store_url(settings.uri)))


def store_settings(settings: Settings) -> StoreSettings:
    """`settings.store`, with the place under home where it names none."""
    if settings.store.uri:
        return settings.store
    home = Path(settings.home).expanduser().absolute()
    uri = file_uri(home) if settings.store.leaf == "lake" else f"sqlite:///{home / 'store.db'}"
    return replace(settings.store, uri=uri)


def _spool(settings: Settings) -> Spool:
    """Beside a remote warehouse, which outlives the machine; else, and when that is away too, at home."""
    folders = [file_uri(Path(settings.home) / "spool")]
    warehouse = settings.catalog.warehouse
    if "://" in warehouse and not warehouse.startswith("file:"):
        folders.insert(0, join(warehouse, "_dativo/spool"))
    return Spool(folders, lambda uri: open_files(uri, settings.catalog.properties))
