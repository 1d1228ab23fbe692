"""Connectors that other distributions declare as entry points of group `dativo.connectors`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from dativo_provider.config.known import Known
from dativo_provider.errors import ConfigurationError

__all__ = ["ENTRY_POINT_GROUP", "plugged_in"]

ENTRY_POINT_GROUP = "dativo.connectors"
_KINDS = ("api", "database", "files")


@cache
def plugged_in(name: str) -> Known | None:
    """None when no distribution declares it. Raises `ConfigurationError` when it cannot be imported."""
    for point in entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
            return _known(point.load())
        except Exception as error:
            raise ConfigurationError(
                f"connector plugin '{name}' ({point.value}) cannot be imported: {error}",
                remedy="repair or uninstall the distribution that declares it",
            ) from error
    return None


def _known(info: Any) -> Known:
    """What the connectors room knows of it (its `ConnectorInfo`), as this room does."""
    return Known(
        info.name,
        source="source" in info.roles,
        target="target" in info.roles,
        cloud=info.capabilities.allowed_in_cloud,
        kind=info.category if info.category in _KINDS else "api",
        runs=tuple(role for role in info.roles if info.runs(role)),
        strategy=next(iter(info.strategies), ""),
    )
