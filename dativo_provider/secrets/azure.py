"""Azure Key Vault by its REST API. https://learn.microsoft.com/en-us/rest/api/keyvault/secrets"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import Field

from dativo_provider.config.shapes.base import Shape
from dativo_provider.errors import CredentialError, MissingExtra
from dativo_provider.secrets.base import Provider
from dativo_provider.secrets.http import ask
from dativo_provider.secrets.named import Entry, Named, Place
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Format, Payload
from dativo_provider.secrets.setup import Setup

__all__ = ["AzureSecrets", "opened"]

_STORE = "Azure Key Vault"
_SCOPE = "https://vault.azure.net/.default"
_VERSION = "7.4"
_ALIASES = {"url": "vault_url"}


class Options(Shape):
    """`runner.secrets.azure`. Without a client azure-identity finds a managed identity or `az login` by itself."""

    vault_url: str = Field(min_length=1, description="`https://<vault>.vault.azure.net`.")
    secret_id_template: str = Field(default="", description="Default `dativo--{tenant}--{name}`; `_` becomes `-`.")
    prefix: str = Field(default="", description="Short for `<prefix>{tenant}--{name}`.")
    secrets: list[Entry] = Field(default=[], description="Secrets whose ids follow no template.")
    bundle_secret_id_template: str = Field(default="", description="One secret that holds all of a tenant's.")
    bundle_format: Format = Field(default="json", description="How it holds them.")
    tenant_id: str = Field(default="", description="Directory of the client.")
    client_id: str = Field(default="", description="Client, or a user-assigned identity.")
    client_secret: str = Field(default="", description="Secret of the client.")
    access_token: str = Field(default="", description="Instead: one of `az account get-access-token`.")


def opened(setup: Setup) -> AzureSecrets:
    """Raises `ConfigurationError`."""
    found = setup.connection()
    defaults = {
        "vault_url": found.host or None, "client_id": found.login, "client_secret": found.password,
        "tenant_id": found.extra.get("tenantId", ""),
    } | setup.of_environment(vault_url="AZURE_VAULT_URL")  # fmt: skip
    return AzureSecrets(setup.shaped(Options, _ALIASES, defaults), setup)


class AzureSecrets(Provider):
    """Names have letters, digits and `-` only, so tenants with `_` have no secrets here."""

    name, writes = "azure", True

    def __init__(self, options: Options, setup: Setup) -> None:
        super().__init__(setup.register)
        self._options, self._where = options, setup.where
        template = options.secret_id_template or (f"{options.prefix}{{tenant}}--{{name}}" if options.prefix else "")
        self._named = Named(
            setup.where, template, "dativo--{tenant}--{name}", options.secrets, options.bundle_secret_id_template,
            options.bundle_format,
        )  # fmt: skip
        if options.client_secret:
            setup.register(options.client_secret)

    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        return self._named.find(_spelt(wanted), self._value, _STORE)

    def store(self, wanted: SecretName, text: str, found: Payload) -> None:
        place, whole = self._named.changed(_spelt(wanted), self._value, text, _STORE)
        self._asked("PUT", place.id, {"value": whole})

    def _value(self, place: Place) -> str | None:
        body = self._asked("GET", place.id)
        return None if body is None else str(body["value"])

    def _asked(self, method: str, name: str, body: Any = None) -> Any:
        url = f"{self._options.vault_url.rstrip('/')}/secrets/{name}"
        headers = {"Authorization": f"Bearer {self._token()}"}
        status, answer = ask(_STORE, method, url, headers, body, params={"api-version": _VERSION})
        if status == 404:
            return None
        if status >= 300:
            said = answer.get("error", {}).get("message", "") if isinstance(answer, dict) else ""
            raise CredentialError(
                f"{_STORE} answered {status}: {said}", where=url,
                remedy="give the identity the role Key Vault Secrets User (Secrets Officer to write back)",
            )  # fmt: skip
        return answer

    def _token(self) -> str:
        token = self._options.access_token or self._fetched()
        self._register(token)
        return token

    def _fetched(self) -> str:
        login = self._login
        from azure.core.exceptions import AzureError

        try:
            return str(login.get_token(_SCOPE).token)
        except AzureError as error:
            raise CredentialError(
                f"Azure refused the login ({type(error).__name__})", where=self._where,
                remedy="set tenant_id, client_id and client_secret, or run where Azure gives an identity",
            ) from error  # fmt: skip

    @cached_property
    def _login(self) -> Any:
        try:
            from azure.identity import ClientSecretCredential, DefaultAzureCredential
        except ImportError as problem:
            raise MissingExtra.named("azure", "the secrets provider 'azure'") from problem
        options = self._options
        if options.client_secret:
            return ClientSecretCredential(options.tenant_id, options.client_id, options.client_secret)
        return DefaultAzureCredential(managed_identity_client_id=options.client_id or None)


def _spelt(wanted: SecretName) -> SecretName:
    if "_" in wanted.tenant:
        raise CredentialError(
            f"tenant '{wanted.tenant}' has no secrets in {_STORE}, whose names have no '_'",
            remedy="use another provider for it",
        )
    return SecretName(wanted.tenant, wanted.name.replace("_", "-"), wanted.key)
