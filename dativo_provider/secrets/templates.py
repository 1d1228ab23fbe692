"""Names of secrets in a shared store: `prod/{tenant}/{name}`, made so that each belongs to one tenant."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dativo_provider.errors import ConfigurationError, CredentialError
from dativo_provider.secrets.names import SecretName

__all__ = ["Template"]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Template:
    """`where` is the key of runner.yaml it stands at. One without `{tenant}` must be of one `tenant`, or `shared`:
    else a tenant could read what is another's. Raises `ConfigurationError`."""

    text: str
    where: str
    tenant: str = ""
    shared: bool = False

    def __post_init__(self) -> None:
        names = _PLACEHOLDER.findall(self.text)
        if unknown := [name for name in names if name not in ("tenant", "name")]:
            raise self._wrong(f"'{{{unknown[0]}}}' means nothing here", "write {tenant} and {name}")
        if "tenant" not in names and not (self.tenant or self.shared):
            raise self._wrong(
                f"'{self.text}' is the same for every tenant, so that each could read it",
                "write {tenant} in it, or add `tenant: <the one that may>`, or `shared: true`",
            )
        if self._joint() == "":
            raise self._wrong(f"'{self.text}' joins tenant and name", "put `/` or `--` between them")

    def of(self, wanted: SecretName) -> str | None:
        """The store's name of a secret; None when it is not this tenant's. Raises `CredentialError` for a pair of
        tenant and name whose text could be another pair's."""
        if self.tenant and self.tenant != wanted.tenant:
            return None
        self._refuse_two_readings(wanted)
        return _PLACEHOLDER.sub(lambda match: wanted.tenant if match[1] == "tenant" else wanted.name, self.text)

    def _joint(self) -> str | None:
        """What stands between tenant and name; None when both are not there."""
        found = re.search(r"\{(?:tenant|name)\}([^{}]*)\{(?:tenant|name)\}", self.text)
        return found[1] if found else None

    def _refuse_two_readings(self, wanted: SecretName) -> None:
        joint = self._joint()
        if joint is None or "/" in joint:  # which no tenant and no name has
            return
        first, second = wanted.tenant, wanted.name
        if self.text.index("{name}") < self.text.index("{tenant}"):
            first, second = second, first
        whole = f"{first}{joint}{second}"
        if [at for at in range(len(whole)) if whole.startswith(joint, at)] != [len(first)]:
            raise CredentialError(
                f"'{whole}' could be another tenant's: '{joint}' is also in a name", where=self.where,
                remedy=f"use names and tenants without '{joint}', or a template with '/'",
            )  # fmt: skip

    def _wrong(self, message: str, remedy: str) -> ConfigurationError:
        return ConfigurationError(message, where=self.where, remedy=remedy)
