"""What every provider does alike: check the name, pick the field, tell the masker, write a field back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from dativo_provider.errors import CredentialError
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

    name = ""  # as runner.yaml says it
    writes = False  # whether `store` can be expected to work

    def __init__(self, register: Register = ignore) -> None:
        self._register = register

    def get(self, tenant: str, name: str) -> str:
        """The value of `name`, or of one field of it (`postgres.password`). Raises `CredentialError`, and
        `StorageUnavailable` when a server did not answer."""
        wanted = SecretName.parse(tenant, name)
        payload, where = self.find(wanted)
        for value in payload.confidential():
            self._register(value)
        value = payload.value(wanted.key, where)
        if wanted.key and not harmless(wanted.key):
            self._register(value)
        return value

    def put(self, tenant: str, name: str, value: str) -> None:
        """Replaces the value of a secret, or of one field of it. Raises as `get` does, and `CredentialError` where it
        cannot be written."""
        self._register(value)
        wanted = SecretName.parse(tenant, name)
        payload, where = self.find(wanted)
        self.store(wanted, payload.replaced(wanted.key, value, where))

    @abstractmethod
    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        """The secret and where it was. Raises `CredentialError` naming where it looked."""

    def store(self, wanted: SecretName, text: str) -> None:
        """Writes the whole secret where `find` found it. Raises `CredentialError` where that cannot be."""
        raise CredentialError(
            f"secret '{wanted.full}' has changed, and the provider '{self.name}' cannot write it back",
            remedy="use a provider that can: filesystem, vault, aws, gcp or azure",
        )
