"""Tables and namespaces belong to a tenant (ARCHITECTURE 4.12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["TENANT", "check_owner", "check_tenant"]

TENANT = "dativo.tenant"


def check_owner(table: Table, tenant: str) -> None:
    check_tenant(table.properties, tenant, ".".join(table.name()))


def check_tenant(properties: Mapping[str, str], tenant: str, name: str) -> None:
    """Raises `ConfigurationError` when `name` is another tenant's. One without an owner may be claimed."""
    owner = properties.get(TENANT, tenant)
    if owner != tenant:
        raise ConfigurationError(
            f"it belongs to another tenant, and this job is of '{tenant}'",
            where=name,
            remedy="publish into a namespace of your own tenant",
        )
