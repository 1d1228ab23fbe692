"""Access tokens that a token endpoint gives for something that lasts longer (RFC 6749)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from dativo_provider.connectors.rest.auth.base import Auth, Fetch, Held, basic, told
from dativo_provider.connectors.rest.values import filled, placeholders, text

__all__ = ["ClientCredentials", "RefreshToken", "Token"]


def _seconds(found: Any) -> float | None:
    """`expires_in`, which some say as text (RFC 6749 §5.1)."""
    try:
        return float(found) if float(found) > 0 else None
    except (TypeError, ValueError):
        return None


class Token(Auth):
    """Something is shown to a token endpoint, which answers with an access token."""

    token_url: str = Field(min_length=1, description="Token endpoint.")
    fields: dict[str, str] = Field(default={}, description="More fields of the form, e.g. `scope`.")
    basic: bool = Field(default=False, description="Whether client id and secret go into an Authorization header.")

    @property
    def renewable(self) -> bool:
        return True

    def hold(self, values: Mapping[str, Any], fetch: Fetch) -> Held:
        url = self._url(values)
        answer = fetch(url, {**self._form(values), **(filled(self.fields, values) or {})}, self._headers(values))
        known = {key: value for key, value in answer.items() if isinstance(value, str | int) and key != "access_token"}
        header = {"Authorization": f"Bearer {told(answer, url)}"}
        return Held(header, values=known, changed=self._changed(answer, values),
                    lasts=_seconds(answer.get("expires_in")))  # fmt: skip

    def _changed(self, answer: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
        """Credentials that the answer replaces."""
        return {}

    def _url(self, values: Mapping[str, Any]) -> str:
        """A job's own `connection.token_url` (a gateway, a double) goes before the spec's."""
        return text(str(values.get("token_url") or self.token_url), values)

    @abstractmethod
    def _form(self, values: Mapping[str, Any]) -> dict[str, str]:
        """What the token endpoint is shown."""

    def _headers(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {}


class _Client(Token):
    client_id: str = Field(default="{client_id}", description="The client's id.")
    client_secret: str = Field(default="{client_secret}", description="The client's secret.")

    def _required(self) -> tuple[str, ...]:
        return (self.client_id, self.client_secret)

    def _client(self, values: Mapping[str, Any]) -> dict[str, str]:
        if self.basic:
            return {}
        return {"client_id": text(self.client_id, values), "client_secret": text(self.client_secret, values)}

    def _headers(self, values: Mapping[str, Any]) -> dict[str, str]:
        if not self.basic:
            return {}
        return {"Authorization": basic(text(self.client_id, values), text(self.client_secret, values))}


class RefreshToken(_Client):
    """A refresh token is exchanged for an access token (RFC 6749 §6)."""

    type: Literal["oauth2_refresh"] = "oauth2_refresh"
    refresh_token: str = Field(default="{refresh_token}", description="The refresh token.")
    rotates: bool = Field(
        default=False, description="Whether one is good once: the next, which the answer holds, is written back."
    )

    @property
    def replaces(self) -> tuple[str, ...]:
        return self._names() if self.rotates else ()

    def _names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in placeholders(self.refresh_token))

    def _changed(self, answer: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, str]:
        found = answer.get("refresh_token")
        if not isinstance(found, str) or not found or found == text(self.refresh_token, values):
            return {}
        return dict.fromkeys(self._names(), found)

    def _required(self) -> tuple[str, ...]:
        return (*super()._required(), self.refresh_token)

    def _form(self, values: Mapping[str, Any]) -> dict[str, str]:
        token = text(self.refresh_token, values)
        return {"grant_type": "refresh_token", "refresh_token": token, **self._client(values)}


class ClientCredentials(_Client):
    """The client's own id and secret are exchanged for an access token (RFC 6749 §4.4)."""

    type: Literal["oauth2_client_credentials"] = "oauth2_client_credentials"

    def _form(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {"grant_type": "client_credentials", **self._client(values)}
