"""Secrets in environment variables: `DATIVO_SECRET__{TENANT|GLOBAL|ALL}__{NAME}[__json|env|text|raw]`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from dativo_provider.errors import CredentialError
from dativo_provider.secrets.base import Provider, Register, ignore
from dativo_provider.secrets.names import SHARED, SecretName
from dativo_provider.secrets.payload import FORMATS, Format, Payload, parse
from dativo_provider.secrets.setup import Setup

__all__ = ["EnvSecrets", "opened"]

# Tenants and names without `__` and without `_` at the joints: only so does one variable belong to one tenant.
_PART = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")


def opened(setup: Setup) -> EnvSecrets:
    prefix = str(setup.options.get("prefix", ""))
    return EnvSecrets(setup.variables, setup.register, prefix=prefix, tenants=setup.tenants)


class EnvSecrets(Provider):
    """The tenant's own variable wins over GLOBAL, GLOBAL over ALL.

    With `prefix`, `{PREFIX}{TENANT}_{NAME}` is looked up last. There `ACME_EU_KEY` could be key `eu_key` of
    `acme` or `key` of `acme_eu`; a name with `_` is therefore read only when `tenants` shows that no other
    tenant owns it.
    """

    name = "env"

    def __init__(
        self,
        variables: Mapping[str, str],
        register: Register = ignore,
        *,
        prefix: str = "",
        tenants: Collection[str] = (),
    ) -> None:
        super().__init__(register)
        self._variables, self._prefix, self._tenants = variables, prefix, tuple(tenants)

    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        tenant, name = _variable_part(wanted.tenant, "tenant"), _variable_part(wanted.name, "secret")
        present = {variable.upper(): variable for variable in self._variables}
        for candidate, form in self._candidates(tenant, name):
            if variable := present.get(candidate.upper()):
                return parse(self._variables[variable], form, variable), variable
        raise self._absent(wanted, tenant, name)

    def _candidates(self, tenant: str, name: str) -> Iterator[tuple[str, Format | None]]:
        for owner in (tenant, *SHARED):
            yield f"DATIVO_SECRET__{owner}__{name}", None
            for form in FORMATS:
                yield f"DATIVO_SECRET__{owner}__{name}__{form}", form
        if self._prefix and self._unambiguous(tenant, name):
            yield f"{self._prefix}{tenant}_{name}", None

    def _unambiguous(self, tenant: str, name: str) -> bool:
        if "_" not in name:
            return True
        full = f"{tenant}_{name}"
        others = (other.lower().replace("-", "_") for other in self._tenants if other != tenant)
        return bool(self._tenants) and not any(full.startswith(f"{other}_") for other in others)

    def _absent(self, wanted: SecretName, tenant: str, name: str) -> CredentialError:
        looked = f"DATIVO_SECRET__{{{tenant.upper()}|GLOBAL|ALL}}__{name.upper()}[__json|env|text|raw]"
        if self._prefix:
            looked += f" and {self._prefix}{tenant}_{name}".upper()
        return CredentialError(
            f"secret '{wanted.full}' of tenant '{wanted.tenant}' is not set",
            where=f"environment variables {looked}",
            remedy=f"set DATIVO_SECRET__{tenant.upper()}__{name.upper()}",
        )


def _variable_part(text: str, what: str) -> str:
    part = text.replace("-", "_") if what == "secret" else text
    if _PART.fullmatch(part):
        return part
    raise CredentialError(
        f"{what} '{text}' has no environment variable of its own",
        remedy="use lower-case letters and digits joined by single underscores, or the filesystem provider",
    )
