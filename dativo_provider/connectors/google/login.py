"""Who asks Google: a service account's key, or a user's OAuth client and refresh token, in the files Google gives.

https://developers.google.com/identity/protocols/oauth2 - a tenant whose job names neither is looked up its secret
`google_oauth2` (`secrets/<tenant>/google_oauth2.json`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from dativo_provider.connectors._masking import secret_values
from dativo_provider.connectors.base import BaseReader, RequestRetry
from dativo_provider.connectors.csv.paths import Roots
from dativo_provider.connectors.rest.client import Client
from dativo_provider.connectors.rest.limits import limits_of, rate_limits
from dativo_provider.connectors.rest.load import api_of, load_api
from dativo_provider.connectors.rest.settings import settings_of
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.errors import ConfigurationError, CredentialError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.observability.masking import Masker

__all__ = ["Clients", "api_named", "login_of"]

_FOLDER = Path(__file__).parent
_SECRET = "google_oauth2"
_TEXTS = (_SECRET, "service_account_json", "keyfile_dict")
_FILES = ("credentials_file", "service_account_file")
_FIELDS = ("client_id", "client_secret", "refresh_token", "client_email", "private_key", "private_key_id")
_TOKENS = ("access_token", "token")


@cache
def api_named(name: str) -> Api:
    """Login, limits and errors of a shipped API, or of one whose spec lies beside this file."""
    return load_api(path) if (path := _FOLDER / f"{name}.yaml").exists() else api_of(name)


class Clients:
    """The conversations of one reader, each with an API by name; they share its login, limits and retries."""

    def __init__(self, reader: BaseReader) -> None:
        self._reader, self.limits = reader, rate_limits(reader.source.rate_limits)
        self._made: dict[str, Client] = {}
        self.tasks = 1  # that read at once, and share the limits

    @cached_property
    def login(self) -> SourceSpec:
        return login_of(self._reader.source, self._reader.ctx, self._reader.masker)

    @property
    def retry(self) -> RequestRetry:
        return self.limits.requests_retry()

    def client(self, name: str, base_url: str = "", **settings: Any) -> Client:
        """With `base_url`, of an API beside the one that `connection` is for, which takes of it what it knows."""
        if name not in self._made:
            api, reader = api_named(name), self._reader
            own = {"base_url": base_url, **settings} if base_url else {}

            def values() -> Mapping[str, Any]:
                again = reader.again
                login = login_of(again(), reader.ctx, reader.masker) if again and self._made else self.login
                return settings_of(api, _for(api, login, own), reader.ctx)

            self._made[name] = Client(
                api, values(), reader.ctx, reader.masker, limits_of(api, self.limits),
                1 / self.limits.shared_by, tasks=self.tasks, patience=self.retry.budget_seconds, fresh=values,
            )  # fmt: skip
        return self._made[name]

    def interrupt(self) -> None:
        for client in list(self._made.values()):
            client.interrupt()


def _for(api: Api, login: SourceSpec, own: Mapping[str, Any]) -> SourceSpec:
    if not own:
        return login
    known = {*api.settings, "token_url", *_FIELDS, "access_token"}
    given = {name: value for name, value in login.connection.items() if name in known}
    return replace(login, connection={**given, **own})


def login_of(source: SourceSpec, ctx: RunContext, masker: Masker) -> SourceSpec:
    """`source` with its credentials as single values. Raises `ConfigurationError`, `CredentialError`."""
    given = dict(_given(source, ctx))
    told = [_read(text, masker) for name in _TEXTS if (text := given.pop(name, None))]
    told += [_read(_file(path, source, ctx), masker) for name in _FILES if (path := given.pop(name, None))]
    found = {name: value for each in told for name, value in each.items()}
    if not (found or any(given.get(name) for name in (*_FIELDS, "access_token"))):
        found = _of_tenant(ctx, masker)
    return replace(source, connection={**found, **given}, connection_id="")


def _given(source: SourceSpec, ctx: RunContext) -> Mapping[str, Any]:
    if not source.connection_id:
        return {name: value for name, value in source.connection.items() if value not in (None, "")}
    if source.connection:
        raise ConfigurationError(
            "the source has both `connection` and `connection_id`", remedy="keep one of the two in the job"
        )
    extra = ctx.connections.get(source.connection_id).extra
    named = {name.removeprefix("extra__google_cloud_platform__"): value for name, value in extra.items()}
    return {name: value for name, value in named.items() if value not in (None, "")}


def _file(path: str, source: SourceSpec, ctx: RunContext) -> str:
    """The text of a file below the folders the job may read."""
    name = str(path).replace("{tenant}", ctx.labels.get("tenant", ""))
    try:
        return Roots(source.roots).locate(name).read_text()
    except OSError as error:
        raise CredentialError(
            f"the credentials file cannot be read ({type(error).__name__})", where=name,
            remedy="put it below the tenant's folders, or into the tenant's secret google_oauth2",
        ) from None  # fmt: skip


def _of_tenant(ctx: RunContext, masker: Masker) -> dict[str, Any]:
    try:
        text = ctx.secrets.get(ctx.labels.get("tenant", ""), _SECRET)
    except CredentialError:
        return {}  # what is missing is told with every way to log in
    return _read(text, masker)


def _read(given: Any, masker: Masker) -> dict[str, Any]:
    """The fields of a key file. Raises `CredentialError` for one that is none."""
    found = given if isinstance(given, Mapping) else _parsed(str(given))
    for secret in secret_values({"credential": found}):
        masker.add(secret)
    if "installed" in found or "web" in found:
        raise CredentialError(
            "this file describes an OAuth client, not who has logged in with it",
            remedy="log in once with it and store client_id, client_secret and refresh_token",
        )
    made = {name: found[name] for name in _FIELDS if found.get(name)}
    token = next((found[name] for name in _TOKENS if found.get(name)), None)
    if token and "refresh_token" not in made and "private_key" not in made:
        made["access_token"] = token
    if not made:
        raise CredentialError(
            "these are no credentials of Google", where=_SECRET,
            remedy="give a service account's key file, or client_id, client_secret and refresh_token",
        )  # fmt: skip
    return made


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None  # its message would quote the key
    if not isinstance(found, Mapping):
        raise CredentialError(
            "the credentials are no JSON object", where=_SECRET, remedy="store the file as Google gave it"
        )
    return found
