"""How a request proves who asks: a shape in the spec, and what it adds to requests."""

from __future__ import annotations

from abc import abstractmethod
from base64 import b64encode
from collections.abc import Mapping
from time import monotonic
from typing import Any, Protocol

from dativo_provider.config.shapes.base import Shape
from dativo_provider.connectors.rest.values import placeholders
from dativo_provider.errors import CredentialError

__all__ = ["Auth", "Fetch", "Held", "basic", "told"]


_GOOD_FOR = 0.9  # of the time that a login lasts


class Fetch(Protocol):
    def __call__(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:
        """The JSON answer to a form posted to a token endpoint. Raises `CredentialError`, `SourceUnavailable`."""


class Held:
    """What an authentication made of its credentials: headers and parameters of each request."""

    def __init__(
        self, headers: Mapping[str, str] = {}, params: Mapping[str, str] = {}, values: Mapping[str, Any] = {},
        changed: Mapping[str, str] = {}, lasts: float | None = None,
    ) -> None:  # fmt: skip
        self._over = None if lasts is None else monotonic() + _GOOD_FOR * lasts
        self.headers, self.params = dict(headers), dict(params)
        self.changed = dict(changed)  # credentials that the login replaced by others, by name
        self.values = dict(values)  # what the token endpoint told: `instance_url`

    @property
    def is_over(self) -> bool:
        """Whether its time, as the token endpoint told it, is nearly up: the API would refuse it in mid-request."""
        return self._over is not None and monotonic() >= self._over

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*self.headers.values(), *(each.partition(" ")[2] for each in self.headers.values()),
                *self.params.values(), *self.changed.values())  # fmt: skip


class Auth(Shape):
    """`type` is the word the spec says; a leaf adds its own keys."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the credentials it cannot do without."""
        found = {name: None for each in self._required() for name, _ in placeholders(each)}
        return tuple(name for name in found if name != "base_url")

    def fits(self, values: Mapping[str, Any]) -> bool:
        return all(values.get(name) not in (None, "") for name in self.needs)

    @abstractmethod
    def _required(self) -> tuple[str, ...]:
        """Templates that must have all their values."""

    @abstractmethod
    def hold(self, values: Mapping[str, Any], fetch: Fetch) -> Held:
        """Logs in, where that is more than to show a key."""

    @property
    def replaces(self) -> tuple[str, ...]:
        """Credentials that are good for one login, which gives another for the next."""
        return ()

    @property
    def renewable(self) -> bool:
        """Whether `hold` gets something new when it is called again."""
        return False


def told(answer: Mapping[str, Any], url: str) -> str:
    """The access token of a token endpoint's answer (RFC 6749 §5.1)."""
    token = answer.get("access_token")
    if not isinstance(token, str) or not token:
        raise CredentialError(
            "the token endpoint answered without an access_token", where=url, remedy="check source.connection.token_url"
        )
    return token


def basic(username: str, password: str) -> str:
    """The header's value (RFC 7617)."""
    return f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"
