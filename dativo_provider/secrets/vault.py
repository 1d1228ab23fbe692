"""HashiCorp Vault and OpenBao, KV version 1 and 2. https://developer.hashicorp.com/vault/api-docs/secret/kv"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from dativo_provider.config.shapes.base import Shape
from dativo_provider.errors import ConfigurationError, CredentialError
from dativo_provider.secrets.base import Outdated, Provider
from dativo_provider.secrets.http import ask
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Payload, of_value
from dativo_provider.secrets.setup import Setup
from dativo_provider.secrets.templates import Template

__all__ = ["VaultSecrets", "opened"]

_ALIASES = {"address": "url", "addr": "url", "mount": "mount_point"}


class Place(Shape):
    """A path that holds secrets."""

    path: str = Field(description="Path below the mount; `{tenant}` in it.")
    mount_point: str = Field(default="", description="Default: the provider's.")
    kv_version: Literal[1, 2] | None = Field(default=None, description="Default: the provider's.")
    tenant: str = Field(default="", description="The only tenant that may read it.")
    shared: bool = Field(default=False, description="Whether every tenant may read it.")


class Options(Shape):
    """`runner.secrets.vault`."""

    url: str = Field(min_length=1, description="Address of the server.")
    auth_method: Literal["token", "approle"] | None = Field(default=None, description="By what is given, else.")
    token: str = Field(default="", description="Token.")
    token_file: str = Field(default="", description="File of the token, as Vault's agent writes it; read each time.")
    role_id: str = Field(default="", description="Of the AppRole.")
    secret_id: str = Field(default="", description="Of the AppRole.")
    auth_mount: str = Field(default="approle", description="Where AppRole is mounted.")
    namespace: str = Field(default="", description="Namespace (Enterprise, OpenBao).")
    mount_point: str = Field(default="secret", description="Where the KV engine is mounted.")
    kv_version: Literal[1, 2] = Field(default=2, description="Version of the KV engine.")
    path_template: str = Field(default="dativo/{tenant}", description="Path of a tenant's secrets.")
    paths: list[Place] = Field(default=[], description="Instead: several.")
    verify: bool | str = Field(default=True, description="Whether certificates are checked; or a file of authorities.")
    timeout: float = Field(default=10, gt=0, description="Seconds.")


def opened(setup: Setup) -> VaultSecrets:
    """Options come from the block, then the Airflow connection it names, then `VAULT_ADDR`, `VAULT_TOKEN`, ...

    Raises `ConfigurationError`.
    """
    found = setup.connection()
    defaults = setup.of_environment(
        url="VAULT_ADDR", token="VAULT_TOKEN", role_id="VAULT_ROLE_ID", secret_id="VAULT_SECRET_ID",
        namespace="VAULT_NAMESPACE",
    )  # fmt: skip
    if found.host:
        defaults["url"] = found.host if "://" in found.host else f"https://{found.host}:{found.port or 8200}"
    if found.password:
        defaults |= {"role_id": found.login, "secret_id": found.password} if found.login else {"token": found.password}
    options = setup.shaped(Options, _ALIASES, defaults)
    for secret in filter(None, (options.token, options.secret_id)):
        setup.register(secret)
    return VaultSecrets(options, setup)


@dataclass(frozen=True)
class _Path:
    template: Template
    mount: str
    version: int


class VaultSecrets(Provider):
    """A secret is a field at the tenant's path, or has a path of its own below it whose fields it then has."""

    name, writes = "vault", True

    def __init__(self, options: Options, setup: Setup) -> None:
        super().__init__(setup.register)
        self._options, self._where = options, setup.where
        self._approle = options.auth_method == "approle" or (
            options.auth_method is None and bool(options.role_id) and not (options.token or options.token_file)
        )
        self._login = ""
        self._paths = [self._path(each, number) for number, each in enumerate(options.paths)] or [
            _Path(Template(options.path_template, f"{self._where}.path_template"), options.mount_point,
                  options.kv_version)
        ]  # fmt: skip
        self._refuse_no_login()

    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        for path, text, own in self._places(wanted):
            fields, version = self._read(path, text)
            if fields is None:
                continue
            if own:
                whole = of_value(fields["value"] if set(fields) == {"value"} else fields)
                return replace(whole, version=version), text
            folded = {str(name).lower().replace("-", "_"): value for name, value in fields.items()}
            if (value := folded.get(wanted.name.replace("-", "_"))) is not None:
                return replace(of_value(value), version=version), f"{text}: {wanted.name}"
        looked = ", ".join(text for _, text, _ in self._places(wanted))
        raise CredentialError(
            f"secret '{wanted.full}' of tenant '{wanted.tenant}' is not in Vault", where=looked or self._where,
            remedy=f"vault kv put {looked.split(', ')[0]} {wanted.name}=…",
        )  # fmt: skip

    def store(self, wanted: SecretName, text: str, found: Payload) -> None:
        for path, place, own in self._places(wanted):
            fields, version = self._read(path, place)
            made = None if fields is None else _changed(fields, wanted, text, own)
            if made is not None and version != found.version:
                raise Outdated
            if made is not None:
                return self._write(path, place, made, version)
        return super().store(wanted, text, found)

    def _places(self, wanted: SecretName) -> Iterator[tuple[_Path, str, bool]]:
        """Where the secret may be: as a field of the tenant's path, or at a path of its own."""
        for path in self._paths:
            text = path.template.of(wanted)
            if text is not None:
                yield path, text.strip("/"), False
                yield path, f"{text.strip('/')}/{wanted.name}", True

    def _path(self, given: Place, number: int) -> _Path:
        template = Template(given.path, f"{self._where}.paths.{number}.path", given.tenant, given.shared)
        return _Path(template, given.mount_point or self._options.mount_point,
                     given.kv_version or self._options.kv_version)  # fmt: skip

    # the server ---------------------------------------------------------------------------------------------

    def _read(self, path: _Path, text: str) -> tuple[Mapping[str, Any] | None, int | None]:
        """What is there, and in KV version 2 its number."""
        status, body = self._asked("GET", self._address(path, text))
        if status == 404:
            return None, None
        self._refuse(status, body, text, "read")
        data, number = body["data"], None
        if path.version == 2:
            data, number = data["data"], int(data["metadata"]["version"])
        return (data if isinstance(data, Mapping) else None), number

    def _write(self, path: _Path, text: str, fields: Mapping[str, Any], version: int | None) -> None:
        """Of version 2 only over `version` (check-and-set). Version 1 cannot tell: who writes last wins."""
        body = dict(fields) if version is None else {"data": dict(fields), "options": {"cas": version}}
        status, answer = self._asked("POST", self._address(path, text), body)
        if status == 400 and version is not None and "check-and-set" in str(answer):
            raise Outdated
        self._refuse(status, answer, text, "update")

    def _address(self, path: _Path, text: str) -> str:
        return f"{path.mount}/{'data/' if path.version == 2 else ''}{text}"

    def _asked(self, method: str, address: str, body: Any = None) -> tuple[int, Any]:
        """A login that is over is made anew once."""
        status, answer = self._send(method, address, body, self._token())
        if status == 403 and self._approle:
            self._login = ""
            status, answer = self._send(method, address, body, self._token())
        return status, answer

    def _send(self, method: str, address: str, body: Any, token: str = "") -> tuple[int, Any]:
        options = self._options
        headers = {"X-Vault-Request": "true", "X-Vault-Token": token, "X-Vault-Namespace": options.namespace}
        return ask(
            "Vault", method, f"{options.url.rstrip('/')}/v1/{address}", {k: v for k, v in headers.items() if v}, body,
            timeout=options.timeout, verify=options.verify,
        )  # fmt: skip

    def _token(self) -> str:
        if self._options.token_file and not self._approle:
            self._login = _text_of(self._options.token_file)
            self._register(self._login)
        elif not self._approle:
            return self._options.token
        elif not self._login:
            self._login = self._logged_in()
        return self._login

    def _logged_in(self) -> str:
        ids = {"role_id": self._options.role_id, "secret_id": self._options.secret_id}
        status, body = self._send("POST", f"auth/{self._options.auth_mount}/login", ids)
        self._refuse(status, body, f"auth/{self._options.auth_mount}/login", "update")
        token = str(body["auth"]["client_token"])
        self._register(token)
        return token

    def _refuse(self, status: int, body: Any, text: str, right: str) -> None:
        if status < 300:
            return
        said = "; ".join(map(str, body.get("errors", []))) if isinstance(body, Mapping) else ""
        raise CredentialError(
            f"Vault answered {status}" + (f": {said}" if said else ""), where=text,
            remedy=f"renew the token or role, and give its policy `{right}` on this path",
        )  # fmt: skip

    def _refuse_no_login(self) -> None:
        options = self._options
        if self._approle and not (options.role_id and options.secret_id):
            raise ConfigurationError("AppRole needs role_id and secret_id", where=self._where, remedy="set both")
        if not self._approle and not (options.token or options.token_file):
            raise ConfigurationError(
                "there is no way to log in to Vault", where=self._where,
                remedy="set token, token_file, or role_id and secret_id",
            )  # fmt: skip


def _changed(fields: Mapping[str, Any], wanted: SecretName, text: str, own: bool) -> dict[str, Any] | None:
    """What stands at a path when the secret is `text`; None where it is not there."""
    if own:
        whole: dict[str, Any] = {"value": text} if set(fields) == {"value"} else json.loads(text)
        return whole
    names = [name for name in fields if str(name).lower().replace("-", "_") == wanted.name.replace("-", "_")]
    return {**fields, names[0]: text} if names else None


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise CredentialError(
            "the file of Vault's token cannot be read", where=path, remedy="look whether Vault's agent runs"
        ) from problem
