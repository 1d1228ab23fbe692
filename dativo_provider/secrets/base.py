"""What every provider does alike: check the name, pick the field, tell the masker, write a field back."""

from __future__ import annotations

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress

from dativo_provider.errors import CredentialError, StorageUnavailable
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Payload, harmless

__all__ = ["Outdated", "Provider", "Register", "ignore"]

Register = Callable[[str], None]
_TRIES = 12  # of a field, when others write its neighbours at the same time


def ignore(_value: str) -> None:
    """The `register` of a process that writes no logs."""


class Outdated(Exception):
    """Somebody else has written the secret since it was found; nothing was written."""


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
        self._rewrite(wanted, lambda found, where: found.replaced(wanted.key, value, where))

    def prove(self, tenant: str, name: str) -> None:
        """Writes a secret as it stands there, so that it is known that `put` can. Raises as `put` does."""
        wanted = SecretName.parse(tenant, name)
        self._rewrite(wanted, lambda found, where: found.having(wanted.key, where))

    def _rewrite(self, wanted: SecretName, text: Callable[[Payload, str], str]) -> None:
        """`text` of what is found, anew each time that somebody else was faster."""
        for attempt in range(_TRIES):
            time.sleep(random.uniform(0, 0.02 * attempt))
            payload, where = self.find(wanted)
            with suppress(Outdated):
                return self.store(wanted, text(payload, where), payload)
        raise StorageUnavailable(
            f"secret '{wanted.full}' was changed by others each time it was to be written", where=where,
            remedy="run again",
        )  # fmt: skip

    @abstractmethod
    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        """The secret and where it was. Raises `CredentialError` naming where it looked."""

    def store(self, wanted: SecretName, text: str, found: Payload) -> None:
        """Writes the whole secret where `find` has `found` it. Raises `CredentialError` where that cannot be, and
        `Outdated` where the store can tell that it is not what was found any more."""
        raise CredentialError(
            f"secret '{wanted.full}' has changed, and the provider '{self.name}' cannot write it back",
            remedy="use a provider that can: filesystem, vault, aws, gcp or azure",
        )
