"""What a job tells a connector of another ecosystem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["known_options", "settings_of"]


def known_options(given: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Raises `ConfigurationError` for an option that is not one of `known`."""
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known) or f"known: {listed(known, 20)}"
            raise ConfigurationError(f"'{name}' is no option of a bridge", where="source.options", remedy=hint)
    return dict(given)


def settings_of(source: SourceSpec, ctx: RunContext) -> dict[str, Any]:
    """The connector's own settings: `source.connection`, or those of an Airflow connection.

    Raises `ConfigurationError` when there are both.
    """
    if not source.connection_id:
        return dict(source.connection)
    if source.connection:
        raise ConfigurationError(
            "the source has both `connection` and `connection_id`", remedy="keep one of the two in the job"
        )
    found = ctx.connections.get(source.connection_id)
    plain = {"host": found.host, "port": found.port, "user": found.login, "password": found.password}
    return {**{name: value for name, value in plain.items() if value}, **found.extra}
