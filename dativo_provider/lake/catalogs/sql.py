"""Catalog in SQLite (one machine) or PostgreSQL. https://py.iceberg.apache.org/configuration/#sql-catalog"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, MissingExtra, StorageUnavailable
from dativo_provider.lake.catalogs.base import CatalogLeaf, Place, first_line, kinds_of
from dativo_provider.lake.catalogs.folders import make_folder

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["LEAF"]

_SQLITE_WAIT_SECONDS = 60
_REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba.conf entry|role \"[^\"]*\" does not exist"
    r"|permission denied",
    re.IGNORECASE,
)
_NO_DATABASE = re.compile(r"database \"[^\"]*\" does not exist", re.IGNORECASE)


class SqlLeaf(CatalogLeaf):
    type = "sql"
    extra = "postgres"

    def properties(self, given: Mapping[str, str], place: Place) -> dict[str, str]:
        uri = given.get("uri") or f"sqlite:///{place.home}/catalog.db"
        return {"pool_pre_ping": "true", **given, "type": "sql", "uri": _dialect(uri)}

    def open(self, name: str, properties: Mapping[str, str]) -> Catalog:
        uri = properties["uri"]
        if uri.startswith("sqlite"):
            make_folder(Path(uri.partition(":///")[2].partition("?")[0]).parent)
        with _driver_named():
            return super().open(name, properties)

    def failure(self, problem: Exception, where: str) -> DativoError | None:
        kinds = kinds_of(problem)
        if "sqlalchemy.SQLAlchemyError" not in kinds:
            return None
        said = first_line(getattr(problem, "orig", None) or problem)
        if "sqlalchemy.ArgumentError" in kinds:  # before any connection: the message may repeat the URL
            return ConfigurationError(
                "this is no catalog URL", where=where,
                remedy="catalog_uri is sqlite:////path/catalog.db or postgresql://user:password@host/database",
            )  # fmt: skip
        if _REFUSED.search(said):
            return CredentialError(
                f"the catalog refused these credentials: {said}", where=where,
                remedy="correct user and password in catalog_uri (DATIVO_CATALOG_URI), or grant the rights",
            )  # fmt: skip
        if _NO_DATABASE.search(said):
            return ConfigurationError(
                f"the catalog's database does not exist: {said}", where=where,
                remedy="create it, or correct catalog_uri (DATIVO_CATALOG_URI)",
            )  # fmt: skip
        return StorageUnavailable(
            f"the catalog did not answer: {said}", where=where, remedy="check that its database runs, then run again"
        )

    def close(self, catalog: Any) -> None:
        catalog.engine.dispose()


def _dialect(uri: str) -> str:
    """SQLite's writers queue for the file; its default is to give up after five seconds.

    PostgreSQL gets the driver our extra installs; SQLAlchemy's default differs between its versions.
    """
    if uri.startswith("postgresql://"):
        return uri.replace("postgresql://", "postgresql+psycopg2://", 1)
    if not uri.startswith("sqlite") or "timeout=" in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}timeout={_SQLITE_WAIT_SECONDS}"


@contextmanager
def _driver_named() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as problem:
        if "psycopg" not in str(problem):
            raise
        raise MissingExtra.named(SqlLeaf.extra, "a catalog in PostgreSQL") from problem


LEAF = SqlLeaf()
