"""How one logs in to a database, and where its address comes from: the job's `connection`, or an Airflow connection."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from dativo_provider.connectors.pool import Pooled
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["Access", "address_of"]

S = TypeVar("S", bound=Pooled)


@dataclass(frozen=True)
class Access(Generic[S]):
    """Logins with the same `key` are alike, their password included; those with the same `place` but for it.

    `connect` raises `CredentialError`.
    """

    place: Hashable = field(repr=False)
    password: str = field(repr=False)
    connect: Callable[[], S]

    @property
    def key(self) -> Hashable:
        return self.place, self.password


def address_of(
    source: SourceSpec,
    ctx: RunContext,
    kinds: tuple[str, ...],
    of_job: Callable[[Mapping[str, Any]], dict[str, Any]],
    of_airflow: Callable[[Connection], dict[str, Any]],
) -> dict[str, Any]:
    """The type of an Airflow connection holds one of `kinds`. Raises `ConfigurationError`, `CredentialError`."""
    if source.connection_id and source.connection:
        raise ConfigurationError(
            "the source has both `connection` and `connection_id`", remedy="keep one of the two in the job"
        )
    if not source.connection_id:
        return of_job(source.connection)
    found = ctx.connections.get(source.connection_id)
    _refuse(found, source.connection_id, kinds)
    return {key: value for key, value in of_airflow(found).items() if value not in (None, "")}


def _refuse(found: Connection, name: str, kinds: tuple[str, ...]) -> None:
    if found.conn_type and not any(kind in found.conn_type for kind in kinds):
        raise ConfigurationError(
            f"connection '{name}' is of type '{found.conn_type}', not {kinds[0]}",
            remedy=f"name a connection of type {' or '.join(kinds)}",
        )
    if found.extra.get("iam"):
        raise ConfigurationError(
            f"connection '{name}' asks for IAM tokens, which this connector cannot fetch",
            remedy="put a password into the connection",
        )
