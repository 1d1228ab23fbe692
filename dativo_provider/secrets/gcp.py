"""Google Secret Manager by its REST API. https://cloud.google.com/secret-manager/docs/reference/rest"""

from __future__ import annotations

from base64 import b64decode, b64encode
from functools import cached_property
from typing import Any

from pydantic import Field

from dativo_provider.config.shapes.base import Shape
from dativo_provider.errors import ConfigurationError, CredentialError, MissingExtra, StorageUnavailable
from dativo_provider.secrets.base import Provider
from dativo_provider.secrets.http import ask
from dativo_provider.secrets.named import Entry, Named, Place
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Format, Payload
from dativo_provider.secrets.setup import Setup

__all__ = ["GcpSecrets", "opened"]

_STORE = "Google Secret Manager"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class Secret(Entry):
    """One secret by its name."""

    version: str = Field(default="", description="Default: the provider's.")


class Options(Shape):
    """`runner.secrets.gcp`. Without a key file Google's own search applies: a workload identity, gcloud's login."""

    project_id: str = Field(min_length=1, description="Project.")
    secret_id_template: str = Field(default="", description="Default `dativo--{tenant}--{name}`.")
    prefix: str = Field(default="", description="Short for `<prefix>{tenant}--{name}`.")
    version: str = Field(default="latest", description="Version that is read.")
    secrets: list[Secret] = Field(default=[], description="Secrets whose ids follow no template.")
    bundle_secret_id_template: str = Field(default="", description="One secret that holds all of a tenant's.")
    bundle_format: Format = Field(default="json", description="How it holds them.")
    credentials_file: str = Field(default="", description="Key file of a service account.")
    access_token: str = Field(default="", description="Instead: one of `gcloud auth print-access-token`.")
    api_url: str = Field(default="https://secretmanager.googleapis.com", description="Or a regional or private one.")


def opened(setup: Setup) -> GcpSecrets:
    """Raises `ConfigurationError`."""
    extra = setup.connection().extra
    defaults = {
        "project_id": extra.get("project") or setup.variables.get("GOOGLE_CLOUD_PROJECT"),
        "credentials_file": extra.get("key_path") or None,
    }
    return GcpSecrets(setup.shaped(Options, {}, defaults), setup, extra.get("keyfile_dict"))


class GcpSecrets(Provider):
    """`keyfile` is a service account's key itself, from an Airflow connection."""

    name, writes = "gcp", True

    def __init__(self, options: Options, setup: Setup, keyfile: Any = None) -> None:
        super().__init__(setup.register)
        self._options, self._keyfile, self._where = options, keyfile, setup.where
        template = options.secret_id_template or (f"{options.prefix}{{tenant}}--{{name}}" if options.prefix else "")
        self._named = Named(
            setup.where, template, "dativo--{tenant}--{name}", options.secrets, options.bundle_secret_id_template,
            options.bundle_format,
        )  # fmt: skip

    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        return self._named.find(wanted, self._value, _STORE)

    def store(self, wanted: SecretName, text: str, found: Payload) -> None:
        place, whole = self._named.changed(wanted, self._value, text, _STORE)
        self._asked("POST", f"{place.id}:addVersion", {"payload": {"data": b64encode(whole.encode()).decode()}})

    def _value(self, place: Place) -> str | None:
        version = getattr(place.entry, "version", "") or self._options.version
        body = self._asked("GET", f"{place.id}/versions/{version}:access")
        return None if body is None else b64decode(body["payload"]["data"]).decode()

    def _asked(self, method: str, what: str, body: Any = None) -> Any:
        name = f"projects/{self._options.project_id}/secrets/{what}"
        headers = {"Authorization": f"Bearer {self._token()}"}
        status, answer = ask(_STORE, method, f"{self._options.api_url.rstrip('/')}/v1/{name}", headers, body)
        if status == 404:
            return None
        if status >= 300:
            said = answer.get("error", {}).get("message", "") if isinstance(answer, dict) else ""
            raise CredentialError(
                f"{_STORE} answered {status}: {said}", where=name,
                remedy="give the account the role secretmanager.secretAccessor (secretVersionAdder to write back)",
            )  # fmt: skip
        return answer

    def _token(self) -> str:
        token = self._options.access_token or self._refreshed()
        self._register(token)
        return token

    def _refreshed(self) -> str:
        login = self._login
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.auth.transport.requests import Request

        try:
            if not login.valid:
                login.refresh(Request())
        except TransportError as error:
            raise StorageUnavailable(
                "Google's login could not be asked", where=self._where, remedy="check the network"
            ) from error
        except GoogleAuthError as error:
            raise CredentialError(
                f"Google refused the login ({type(error).__name__})", where=self._where, remedy="renew the key file"
            ) from error
        return str(login.token)

    @cached_property
    def _login(self) -> Any:
        try:
            import google.auth
            from google.oauth2 import service_account
        except ImportError as problem:
            raise MissingExtra.named("gcp", "the secrets provider 'gcp'") from problem
        makers = service_account.Credentials
        try:
            if self._keyfile:
                return makers.from_service_account_info(_object(self._keyfile), scopes=[_SCOPE])
            if self._options.credentials_file:
                return makers.from_service_account_file(self._options.credentials_file, scopes=[_SCOPE])
            return google.auth.default(scopes=[_SCOPE])[0]
        except (google.auth.exceptions.GoogleAuthError, OSError, ValueError) as problem:
            raise ConfigurationError(
                f"there is no login for {_STORE} ({type(problem).__name__})", where=self._where,
                remedy="set credentials_file, or run where Google gives an identity",
            ) from None  # fmt: skip


def _object(found: Any) -> Any:
    import json

    return json.loads(found) if isinstance(found, str) else found
