"""Tokens that are given for a signed JWT: of service accounts (RFC 7523), and of apps that show it as a bearer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from dativo_provider.connectors.rest.auth.base import Fetch, Held
from dativo_provider.connectors.rest.auth.oauth2 import Token
from dativo_provider.connectors.rest.page import at
from dativo_provider.connectors.rest.values import filled, text
from dativo_provider.errors import CredentialError

__all__ = ["JwtBearer", "JwtExchange"]


class _Signed(Token):
    issuer: str = Field(default="{client_email}", description="`iss`: the account.")
    subject: str = Field(default="", description="`sub`: the user it acts for; default: none.")
    audience: str = Field(default="", description="`aud`.")
    private_key: str = Field(default="{private_key}", description="Private key in PEM.")
    key_id: str = Field(default="{private_key_id}", description="`kid`; left out when it has no value.")
    claims: dict[str, str] = Field(default={}, description="More claims, e.g. `scope`.")
    algorithm: Literal["RS256", "ES256"] = Field(default="RS256", description="Signature.")
    lifetime: int = Field(default=3600, ge=30, le=3600, description="Seconds that the JWT is good for.")
    backdate: int = Field(default=0, ge=0, le=300, description="Seconds its `iat` lies back, for clocks that differ.")

    def _required(self) -> tuple[str, ...]:
        return (self.issuer, self.private_key)

    def _assertion(self, values: Mapping[str, Any], audience: str | None) -> str:
        import jwt

        now = int(time.time())
        known = {"iss": self.issuer, "sub": self.subject or None, "aud": audience,
                 "iat": now - self.backdate, "exp": now + self.lifetime, **self.claims}  # fmt: skip
        key, kid = text(self.private_key, values).replace("\\n", "\n"), filled(self.key_id, values)
        claims = {name: each for name, each in filled(known, values).items() if each}
        try:
            return jwt.encode(claims, key, self.algorithm, headers={"kid": str(kid)} if kid else None)
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise CredentialError(
                f"the private key cannot sign ({type(error).__name__})",
                remedy="give the whole PEM text, with its BEGIN and END lines",
            ) from None


class JwtBearer(_Signed):
    """A signed assertion of a service account is exchanged for an access token (RFC 7523)."""

    type: Literal["jwt_bearer"] = "jwt_bearer"
    audience: str = Field(default="", description="`aud`; default: the token endpoint.")

    def _form(self, values: Mapping[str, Any]) -> dict[str, str]:
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        return {"grant_type": grant, "assertion": self._assertion(values, self.audience or self._url(values))}


class JwtExchange(_Signed):
    """A signed JWT, shown as a bearer, is exchanged for a token of an installation (GitHub Apps)."""

    type: Literal["jwt_exchange"] = "jwt_exchange"
    answer: str = Field(default="token", description="Dotted path of the token in the answer.")

    def _required(self) -> tuple[str, ...]:
        return (*super()._required(), self.token_url)

    def hold(self, values: Mapping[str, Any], fetch: Fetch) -> Held:
        url = self._url(values)
        token = at(fetch(url, self._form(values), self._headers(values)), self.answer)
        if not isinstance(token, str) or not token:
            raise CredentialError(f"the endpoint answered without '{self.answer}'", where=url,
                                  remedy="check source.connection.token_url")  # fmt: skip
        return Held({"Authorization": f"Bearer {token}"})

    def _form(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {}

    def _headers(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._assertion(values, self.audience or None)}"}
