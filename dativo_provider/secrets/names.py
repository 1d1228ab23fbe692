"""What a secret may be called. Names come from tenant files and are untrusted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dativo_provider.errors import CredentialError

__all__ = ["SHARED", "SecretName"]

SHARED = ("global", "all")  # stand where a tenant stands: secrets every tenant may read
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_NAME = re.compile(r"([a-z0-9][a-z0-9_-]{0,126})(?:\.([a-z0-9_][a-z0-9_.-]{0,126}))?", re.IGNORECASE)


@dataclass(frozen=True)
class SecretName:
    """`postgres.password` is the field `password` of the secret `postgres`."""

    tenant: str
    name: str
    key: str = ""

    @classmethod
    def parse(cls, tenant: str, name: str) -> SecretName:
        """Raises `CredentialError` for anything that could reach another tenant's secrets."""
        if not _TENANT.fullmatch(tenant) or tenant in SHARED:
            raise CredentialError(f"{tenant!r} cannot be the tenant of a secret", remedy="use the tenant's id")
        match = _NAME.fullmatch(name)
        if match is None:
            raise CredentialError(
                f"{name!r} is not the name of a secret",
                remedy="use letters, digits, _ and -, and after a dot the field of a JSON or KEY=VALUE secret",
            )
        return cls(tenant, match[1].lower(), match[2] or "")

    @property
    def full(self) -> str:
        return f"{self.name}.{self.key}" if self.key else self.name
