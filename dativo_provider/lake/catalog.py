"""The catalog a job's tables are in: SQLite under DATIVO_HOME by default, the deployment's, or the job's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dativo_provider.errors import Unsupported
from dativo_provider.files import canonical, file_uri, join, local_path, scheme
from dativo_provider.lake.catalogs.base import CatalogLeaf, Place
from dativo_provider.lake.catalogs.folders import make_folder
from dativo_provider.lake.catalogs.races import lost_races
from dativo_provider.lake.catalogs.registry import leaf
from dativo_provider.lake.compat import repair
from dativo_provider.lake.io import file_io
from dativo_provider.lake.own import own_properties, with_own
from dativo_provider.lake.sharing import share_history
from dativo_provider.lake.translate import translated
from dativo_provider.model.job import JobSpec
from dativo_provider.model.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["catalog_leaf", "catalog_properties", "open_catalog", "warehouse_of"]


def open_catalog(settings: Settings, job: JobSpec | None = None) -> Catalog:
    """The job's catalog (the deployment's where the job names none), its folders and tables made on first use.

    Raises `StorageUnavailable`, `CredentialError`, `ConfigurationError`, `MissingExtra` or `Unsupported`.
    """
    repair()
    kind = catalog_leaf(settings, job)
    name, properties = catalog_properties(settings, job)
    warehouse = warehouse_of(settings, job)
    with translated(f"catalog {name}"):
        if scheme(warehouse) == "file":
            make_folder(local_path(warehouse))
        return share_history(lost_races(lambda: kind.open(name, properties)))


def catalog_leaf(settings: Settings, job: JobSpec | None = None) -> CatalogLeaf:
    """Raises `Unsupported` for a type nobody knows."""
    return leaf(with_own(settings.catalog.properties, own_properties(job)).get("type", "sql"))


def warehouse_of(settings: Settings, job: JobSpec | None = None) -> str:
    """The URI below which new tables go."""
    found = (job.target.warehouse if job else "") or settings.catalog.warehouse
    found = found or file_uri(join(settings.home, "warehouse"))
    if found.startswith("file:") or "://" not in found:  # one spelling in all metadata
        found = file_uri(local_path(found) if found.startswith("file:") else found)
    return found.rstrip("/") if scheme(found) == "file" else canonical(found).rstrip("/")


def catalog_properties(settings: Settings, job: JobSpec | None = None) -> tuple[str, dict[str, str]]:
    """The catalog's name and PyIceberg properties. References in the job must have been resolved."""
    given = with_own(settings.catalog.properties, own_properties(job))
    name, kind = given.pop("name", "") or settings.catalog.name, leaf(given.pop("type", "sql"))
    branch, warehouse = (job.target.branch if job else ""), warehouse_of(settings, job)
    if branch not in ("", "main") and not kind.has_branches:
        raise Unsupported(
            f"a catalog of type {kind.type} has no branch '{branch}' for a job to publish to",
            where=job.path or job.dag_id if job else "", remedy="use a Nessie catalog, or leave target.branch out",
        )  # fmt: skip
    if not kind.kind.named_warehouse:
        given["warehouse"] = warehouse
    if "s3.endpoint" in given:
        given.setdefault("s3.region", "us-east-1")  # else every process asks AWS where the bucket is
    given.setdefault("py-io-impl", file_io(warehouse))
    place = Place(settings.home, warehouse, job.tenant if job else "", branch)
    return name, kind.properties(given, place)
