"""What every provider does alike: check the name, pick the field, tell the masker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Payload, harmless

__all__ = ["Provider", "Register", "ignore"]

Register = Callable[[str], None]


def ignore(_value: str) -> None:
    """The `register` of a process that writes no logs."""


class Provider(ABC):
    """Fills `model.context.Secrets`. Nothing is cached, so a rotated secret is seen by the next `get`.

    `register` hears every value before the caller does; it is the masker's `add`.
    """

    def __init__(self, register: Register = ignore) -> None:
        self._register = register

    def get(self, tenant: str, name: str) -> str:
        """The value of `name`, or of one field of it (`postgres.password`). Raises `CredentialError`."""
        wanted = SecretName.parse(tenant, name)
        payload, where = self.find(wanted)
        for value in payload.confidential():
            self._register(value)
        value = payload.value(wanted.key, where)
        if wanted.key and not harmless(wanted.key):
            self._register(value)
        return value

    @abstractmethod
    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        """The secret and where it was. Raises `CredentialError` naming where it looked."""
