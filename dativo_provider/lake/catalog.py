"""The catalog a job's tables are in: SQLite under DATIVO_HOME by default, PostgreSQL for a deployment."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dativo_provider.errors import ConfigurationError, MissingExtra, Unsupported
from dativo_provider.files import file_uri, join, local_path, scheme
from dativo_provider.lake.compat import repair
from dativo_provider.lake.own import merged, own_properties
from dativo_provider.lake.translate import translated
from dativo_provider.model.job import JobSpec
from dativo_provider.model.settings import Settings

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["catalog_properties", "close_catalog", "open_catalog", "warehouse_of"]

T = TypeVar("T")
_SQLITE_WAIT_SECONDS = 60
_RACES = ("already exists", "UNIQUE constraint", "duplicate key", "database is locked", "pg_type_typname_nsp_index")


def open_catalog(settings: Settings, job: JobSpec | None = None) -> Catalog:
    """The job's catalog (the deployment's where the job names none), its folders and tables made on first use.

    Raises `StorageUnavailable`, `CredentialError`, `ConfigurationError`, `MissingExtra` or `Unsupported`.
    """
    from pyiceberg.catalog import load_catalog

    repair()
    name, properties = catalog_properties(settings, job)
    _make_folders(properties)
    with translated(f"catalog {name}"), _driver_named():
        return lost_races(lambda: load_catalog(name, **properties))


def close_catalog(catalog: Any) -> None:
    """Returns its connections to the database."""
    catalog.engine.dispose()


def warehouse_of(settings: Settings, job: JobSpec | None = None) -> str:
    """The URI below which new tables go."""
    found = (job.target.warehouse if job else "") or settings.catalog.warehouse
    found = found or file_uri(join(settings.home, "warehouse"))
    if found.startswith("file:") or "://" not in found:  # one spelling in all metadata
        found = file_uri(local_path(found) if found.startswith("file:") else found)
    return found.rstrip("/")


def catalog_properties(settings: Settings, job: JobSpec | None = None) -> tuple[str, dict[str, str]]:
    """The catalog's name and PyIceberg properties. References in the job must have been resolved."""
    given = merged(settings.catalog.properties, own_properties(job))
    name = given.pop("name", "") or settings.catalog.name
    kind = given.setdefault("type", "sql")
    if kind != "sql":
        raise Unsupported(
            f"catalogs of type '{kind}' are not supported by this version", where=f"catalog {name}",
            remedy="use type: sql with a SQLite or PostgreSQL uri",
        )  # fmt: skip
    given.setdefault("uri", f"sqlite:///{settings.home}/catalog.db")
    given["uri"] = _dialect(given["uri"])
    given["warehouse"] = warehouse_of(settings, job)
    given.setdefault("pool_pre_ping", "true")
    if "s3.endpoint" in given:
        given.setdefault("s3.region", "us-east-1")  # else every process asks AWS where the bucket is
    given.setdefault("py-io-impl", "pyiceberg.io.pyarrow.PyArrowFileIO")
    return name, given


def _dialect(uri: str) -> str:
    """SQLite's writers queue for the file; its default is to give up after five seconds.

    PostgreSQL gets the driver our extra installs; SQLAlchemy's default differs between its versions.
    """
    if uri.startswith("postgresql://"):
        return uri.replace("postgresql://", "postgresql+psycopg2://", 1)
    if not uri.startswith("sqlite") or "timeout=" in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}timeout={_SQLITE_WAIT_SECONDS}"


def _make_folders(properties: Mapping[str, str]) -> None:
    uri, warehouse = properties["uri"], properties["warehouse"]
    folders = [Path(uri.partition(":///")[2].partition("?")[0]).parent] if uri.startswith("sqlite") else []
    if scheme(warehouse) == "file":
        folders.append(local_path(file_uri(local_path(warehouse))))  # refuses characters other engines cannot read
    for folder in folders:
        with translated(str(folder)):
            _make_folder(folder)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as problem:
        raise ConfigurationError(
            "a file stands where a folder is needed", where=str(folder), remedy="correct DATIVO_HOME or the warehouse"
        ) from problem


def lost_races(work: Callable[[], T], attempts: int = 12) -> T:
    """`work` again when another process was creating the same thing at the same time."""
    for attempt in range(attempts - 1):
        try:
            return work()
        except Exception as problem:
            if not any(word in str(problem) for word in _RACES):
                raise
            time.sleep(random.uniform(0, 0.05) * (attempt + 1))
    return work()


@contextmanager
def _driver_named() -> Iterator[None]:
    """A missing database driver as the extra to install."""
    try:
        yield
    except ModuleNotFoundError as problem:
        if "psycopg" not in str(problem):
            raise
        raise MissingExtra.named("postgres", "a catalog in PostgreSQL") from problem
