"""Iceberg catalogs by type: what a job may say of one, and what it must. `lake/catalogs` has a leaf for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CATALOGS", "CHOICES", "CatalogKind", "catalog_type"]

CHOICES = frozenset({"name", "branch"})  # choose within a catalog; every other word names one


@dataclass(frozen=True)
class CatalogKind:
    """`words` are PyIceberg's property names, `needs` those without which a catalog of one's own cannot be opened.

    Never among them: names of Python classes to load (`*-impl`), roles to assume, profiles and files of the worker.
    `named_warehouse`: its `warehouse` may be a name only the server knows, no path.
    """

    words: frozenset[str]
    needs: tuple[str, ...] = ()
    named_warehouse: bool = False


_REST = frozenset({
    "name", "uri", "warehouse", "prefix", "token", "credential", "scope", "audience", "resource", "oauth2-server-uri",
})  # fmt: skip
_GLUE = frozenset({
    "name", "glue.region", "glue.id", "glue.access-key-id", "glue.secret-access-key", "glue.session-token",
})  # fmt: skip

CATALOGS: Mapping[str, CatalogKind] = {
    "sql": CatalogKind(frozenset({"name", "uri"})),
    "rest": CatalogKind(_REST, needs=("uri",), named_warehouse=True),
    "nessie": CatalogKind(_REST - {"prefix"} | {"branch"}, needs=("uri",), named_warehouse=True),
    "glue": CatalogKind(_GLUE, needs=("glue.access-key-id", "glue.secret-access-key")),
}
_OTHER_NAMES = {"aws_glue": "glue"}


def catalog_type(catalog: Mapping[str, Any], connection: Mapping[str, Any] | None = None) -> str:
    """The type of `target.catalog` or of a `nessie` connection; empty for the deployment's."""
    written = str(catalog.get("type") or "").lower()
    if written:
        return _OTHER_NAMES.get(written, written)
    return "nessie" if "nessie" in (connection or {}) else "sql" if "uri" in catalog else ""
