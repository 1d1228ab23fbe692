"""`${SECRET:NAME}` from Airflow: a Variable of the tenant, wherever the deployment's secrets backend keeps it."""

from __future__ import annotations

import re

from dativo_provider.errors import CredentialError
from dativo_provider.model.context import NoSecrets, Secrets
from dativo_provider.secrets.base import Provider
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Payload, parse

__all__ = ["AirflowSecrets", "listen", "register", "variable_key"]

# Parts without `__` and without `_` at the joints: only so does one Variable belong to one tenant.
_PART = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")


def variable_key(tenant: str, name: str) -> str:
    """`dativo__<tenant>__<name>`. Raises `CredentialError` for names that could meet in one key."""
    name = name.replace("-", "_")
    for part in (tenant, name):
        if not _PART.fullmatch(part):
            raise CredentialError(
                f"'{part}' has no Airflow Variable of its own",
                remedy="use lower-case letters and digits joined by single underscores",
            )
    return f"dativo__{tenant}__{name}"


class AirflowSecrets(Provider):
    """The tenant's Variable wins over `dativo__global__<name>`, both over `fallback`.

    A value may be text, JSON or KEY=VALUE lines. Every value found is masked from then on.
    """

    name, writes = "airflow", True

    def __init__(self, fallback: Secrets | None = None) -> None:
        super().__init__(register)
        self._fallback = fallback or NoSecrets()

    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        for owner in (wanted.tenant, "global"):
            key = variable_key(owner, wanted.name)
            if (value := _variable(key)) is not None:
                return parse(value, None, f"Airflow Variable {key}"), f"Airflow Variable {key}"
        return self._elsewhere(wanted)

    def put(self, tenant: str, name: str, value: str) -> None:
        """In the Variable it was found in, else where the fallback keeps it, which may know who else writes there."""
        if _has_variable(tenant, name):
            return super().put(tenant, name, value)
        self._register(value)
        return self._fallback.put(tenant, name, value)

    def prove(self, tenant: str, name: str) -> None:
        """Where `put` would write it."""
        return super().prove(tenant, name) if _has_variable(tenant, name) else self._fallback.prove(tenant, name)

    def store(self, wanted: SecretName, text: str, found: Payload) -> None:
        from airflow.sdk import Variable

        key = variable_key(wanted.tenant, wanted.name)
        if _variable(key) is not None:
            Variable.set(key, text)
            if _variable(key) != text:
                raise CredentialError(
                    f"secret '{wanted.full}' has changed, and Airflow's secrets backend keeps the old one",
                    where=f"Airflow Variable {key}",
                    remedy="keep it with a provider of runner.yaml that writes back (docs/secrets.md)",
                )
        else:
            raise CredentialError(
                f"secret '{wanted.full}' has changed, and is shared by all tenants",
                remedy=f"give the tenant its own: airflow variables set {key} ...",
            )

    def _elsewhere(self, wanted: SecretName) -> tuple[Payload, str]:
        key = variable_key(wanted.tenant, wanted.name)
        try:
            return parse(self._fallback.get(wanted.tenant, wanted.name), None, "the environment"), "the environment"
        except CredentialError as missing:
            raise CredentialError(
                f"secret '{wanted.full}' of tenant '{wanted.tenant}' was not found",
                where=f"Airflow Variable {key}; {missing.where or missing.message}",
                remedy=f"airflow variables set {key} ..., or add it to your secrets backend",
            ) from missing


def _has_variable(tenant: str, name: str) -> bool:
    wanted = SecretName.parse(tenant, name)
    return any(_variable(variable_key(owner, wanted.name)) is not None for owner in (tenant, "global"))


def _variable(key: str) -> str | None:
    from airflow.sdk import Variable

    found = Variable.get(key, default=None)
    return None if found is None else str(found)


def register(value: str) -> None:
    """Neither Airflow's logs nor Dativo's own messages show `value` from now on."""
    from dativo_provider.observability import MASKER

    listen()
    MASKER.add(value)


def listen() -> None:
    """Airflow's own masks hear of every secret that this process learns: a token that an API gave, for one."""
    from dativo_provider.observability import MASKER

    MASKER.tell(_mask_in_airflow)


def _mask_in_airflow(value: str) -> None:
    from airflow.sdk.log import mask_secret

    mask_secret(value)
