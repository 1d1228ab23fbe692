"""The catalog and storage a job names for itself. Tenants write jobs, so only harmless properties pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import JobSpec

__all__ = ["check_literal", "merged", "own_properties"]

# Never those that name Python classes to load (`*-impl`), roles to assume or profiles of the worker's account.
_ALLOWED = frozenset({
    "name", "type", "uri", "s3.endpoint", "s3.access-key-id", "s3.secret-access-key", "s3.session-token", "s3.region",
    "s3.force-virtual-addressing", "s3.connect-timeout", "s3.request-timeout",
})  # fmt: skip
_WORDS = {
    "endpoint": "s3.endpoint", "endpoint_url": "s3.endpoint", "access_key_id": "s3.access-key-id",
    "secret_access_key": "s3.secret-access-key", "session_token": "s3.session-token", "region": "s3.region",
    "access_key": "s3.access-key-id", "secret_key": "s3.secret-access-key",
}  # fmt: skip


def own_properties(job: JobSpec | None) -> dict[str, str]:
    """`target.connection.s3|minio` and `target.catalog` as PyIceberg properties.

    Raises `ConfigurationError` for a property a job may not set, or an endpoint that would be sent the
    deployment's credentials.
    """
    if job is None:
        return {}
    given = {**_connection(job.target.connection), **{key: str(value) for key, value in job.target.catalog.items()}}
    where = job.path or job.dag_id
    if refused := sorted(set(given) - _ALLOWED):
        raise ConfigurationError(
            f"a job may not set the catalog properties {', '.join(refused)}", where=where,
            remedy=f"leave them to the operator (DATIVO_CATALOG_PROPERTIES); allowed are {', '.join(sorted(_ALLOWED))}",
        )  # fmt: skip
    if "s3.endpoint" in given and "s3.access-key-id" not in given:
        raise ConfigurationError(
            "the job names an object store of its own but no key for it", where=where,
            remedy="add access_key_id and secret_access_key; the deployment's are not sent to other stores",
        )  # fmt: skip
    return given


def merged(deployment: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Storage comes from one side as a whole: never one's keys with the other's endpoint."""
    storage = ("s3.", "client.")
    if any(key.startswith(storage) for key in own):
        deployment = {key: value for key, value in deployment.items() if not key.startswith(storage)}
    return {**deployment, **own}


def check_literal(job: JobSpec, resolved: JobSpec) -> None:
    """Raises `ConfigurationError` for a local path that was hidden in a reference from the check of roots."""
    for written, found in (
        (job.target.warehouse, resolved.target.warehouse),
        (str(job.target.catalog.get("uri", "")), str(resolved.target.catalog.get("uri", ""))),
    ):
        if "${" in written and not found.lower().startswith("postgresql") and not _own_store(written, resolved):
            raise ConfigurationError(
                f"a reference cannot name a folder or a file: {written}", where=job.path or job.dag_id,
                remedy="write the path itself, below the tenant's roots",
            )  # fmt: skip


def _own_store(written: str, resolved: JobSpec) -> bool:
    """A bucket reached with the job's own keys may be named by a reference: it gives nothing that they do not."""
    return written.startswith("s3://") and "s3.access-key-id" in own_properties(resolved)


def _connection(found: Mapping[str, Any]) -> dict[str, str]:
    nested = {**found, **dict(found.get("s3") or {}), **dict(found.get("minio") or {})}
    return {_WORDS[key]: str(value) for key, value in nested.items() if key in _WORDS and value}
