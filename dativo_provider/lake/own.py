"""The catalog and storage a job names for itself. Tenants write jobs, so only harmless properties pass."""

from __future__ import annotations

from collections.abc import Mapping

from dativo_provider.config.catalogs import CATALOGS, CHOICES, catalog_type
from dativo_provider.errors import ConfigurationError
from dativo_provider.files.stores import STORAGE, STORES, store_properties
from dativo_provider.lake.catalogs.registry import leaf
from dativo_provider.model.job import JobSpec

__all__ = ["check_literal", "own_properties", "with_own"]


def own_properties(job: JobSpec | None) -> dict[str, str]:
    """`target.connection` and `target.catalog` as PyIceberg properties.

    Raises `ConfigurationError` for a property a job may not set, or an endpoint that would be sent the
    deployment's credentials.
    """
    if job is None:
        return {}
    where, target = job.path or job.dag_id, job.target
    storage = store_properties(target.connection)
    kind = catalog_type(target.catalog, target.connection)
    named = {**dict(target.connection.get("nessie") or {}), **target.catalog}
    given = {key: str(value) for key, value in named.items() if key != "type" and value not in (None, "")}
    allowed = _allowed(kind)
    if refused := sorted(set(given) - allowed):
        raise ConfigurationError(
            f"a job may not set the catalog properties {', '.join(refused)}", where=where,
            remedy=f"leave them to the operator (DATIVO_CATALOG_PROPERTIES); allowed are {', '.join(sorted(allowed))}",
        )  # fmt: skip
    found = {**storage, **given, **({"type": kind} if kind else {})}
    for store in STORES.values():
        if store.lacks_key(found):
            raise ConfigurationError(
                "the job names an object store of its own but no key for it", where=where,
                remedy=f"add {store.remedy}; the deployment's are not sent to other stores",
            )  # fmt: skip
    return found


def with_own(deployment: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Storage comes from one side as a whole, and so does the catalog: never one's keys with the other's address.

    Raises `ConfigurationError` for a catalog of the job's own without what it takes to open it.
    """
    if any(key.startswith(STORAGE) for key in own):
        deployment = {key: value for key, value in deployment.items() if not key.startswith(STORAGE)}
    if not _is_own_catalog(deployment, own):
        return {**deployment, **own}
    kind = leaf(own.get("type") or "sql")
    if missing := [word for word in kind.kind.needs if word not in own]:
        raise ConfigurationError(
            f"the job names a {kind.type} catalog of its own without {', '.join(missing)}",
            where="target.catalog",
            remedy="add it, or leave the catalog to the deployment, whose keys are not sent to other catalogs",
        )
    kept = () if kind.tells_storage else STORAGE
    return {**{key: value for key, value in deployment.items() if key.startswith(kept or "\0")}, **own}


def check_literal(job: JobSpec, resolved: JobSpec) -> None:
    """Raises `ConfigurationError` for a local path that was hidden in a reference from the check of roots."""
    for written, found in (
        (job.target.warehouse, resolved.target.warehouse),
        (str(job.target.catalog.get("uri", "")), str(resolved.target.catalog.get("uri", ""))),
    ):
        if (
            "${" in written
            and not found.lower().startswith(("postgresql", "http://", "https://"))
            and not _own_store(written, resolved)
        ):
            raise ConfigurationError(
                f"a reference cannot name a folder or a file: {written}", where=job.path or job.dag_id,
                remedy="write the path itself, below the tenant's roots",
            )  # fmt: skip


def _own_store(written: str, resolved: JobSpec) -> bool:
    """A bucket reached with the job's own keys may be named by a reference: it gives nothing that they do not."""
    return written.startswith("s3://") and "s3.access-key-id" in own_properties(resolved)


def _is_own_catalog(deployment: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """Whether more is said than what chooses within the deployment's."""
    words = {key for key in own if not key.startswith(STORAGE)} - CHOICES
    same = own.get("type", deployment.get("type", "sql")) == deployment.get("type", "sql")
    return bool(words - {"type"}) or not same


def _allowed(kind: str) -> frozenset[str]:
    """What storage takes may be written beside the catalog's own words."""
    words = CATALOGS[kind].words if kind in CATALOGS else CHOICES
    return words | frozenset(word for store in STORES.values() for word in store.words.values())
