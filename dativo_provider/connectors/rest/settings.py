"""Settings and credentials by name, from a job's `connection` or an Airflow connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["settings_of"]

_ALWAYS = frozenset({"base_url", "token_url"})
# What Airflow's form calls a password is a key here, a token there.
_PASSWORDS = ("password", "api_key", "access_token", "api_token", "token", "client_secret")
_LOGINS = ("username", "email", "client_id")


def settings_of(api: Api, source: SourceSpec, ctx: RunContext) -> dict[str, Any]:
    """Raises `ConfigurationError` for what the API does not know, and for what it misses."""
    if source.connection_id and source.connection:
        raise ConfigurationError(
            "the source has both `connection` and `connection_id`", remedy="keep one of the two in the job"
        )
    wanted = _wanted(api)
    if source.connection_id:
        given = _from_airflow(ctx.connections.get(source.connection_id), wanted)
    else:
        given = {name: value for name, value in source.connection.items() if value not in (None, "")}
        _refuse_unknown(api, given, wanted)
    defaults = {name: each.default for name, each in api.settings.items() if each.default is not None}
    found = {"version": api.version, **defaults, **given}
    _refuse_missing(api, found)
    return found


def _wanted(api: Api) -> frozenset[str]:
    return frozenset({*api.settings, *_ALWAYS, *(name for auth in api.auth for name in auth.needs)})


def _refuse_unknown(api: Api, given: Mapping[str, Any], wanted: frozenset[str]) -> None:
    for name in given:
        if name not in wanted:
            hint = did_you_mean(name, wanted) or f"known: {listed(sorted(wanted))}"
            raise ConfigurationError(f"'{api.api}' has no setting '{name}'", where="source.connection", remedy=hint)


def _refuse_missing(api: Api, found: Mapping[str, Any]) -> None:
    for name, each in api.settings.items():
        if not each.optional and not each.secret and found.get(name) in (None, ""):
            raise ConfigurationError(
                f"'{api.api}' needs '{name}'" + (f": {each.description}" if each.description else ""),
                where="source.connection", remedy=f"set source.connection.{name}",
            )  # fmt: skip


def _from_airflow(found: Connection, wanted: frozenset[str]) -> dict[str, Any]:
    given = {name: value for name, value in found.extra.items() if name in wanted}
    given |= {name: found.password for name in _PASSWORDS if name in wanted and found.password and name not in given}
    given |= {name: found.login for name in _LOGINS if name in wanted and found.login and name not in given}
    if found.host and "base_url" not in given:
        given["base_url"] = found.host if "://" in found.host else f"https://{found.host}"
    return {name: value for name, value in given.items() if value not in (None, "")}
