"""Ways to log in, by the word a spec says."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dativo_provider.connectors.rest.auth.base import Auth, Fetch, Held
from dativo_provider.connectors.rest.auth.keys import ApiKey, Basic, Bearer, Nobody
from dativo_provider.connectors.rest.auth.oauth2 import ClientCredentials, RefreshToken
from dativo_provider.connectors.rest.auth.signed import JwtBearer, JwtExchange

__all__ = ["AnyAuth", "Auth", "Fetch", "Held", "Nobody"]

AnyAuth = Annotated[
    Nobody | ApiKey | Bearer | Basic | RefreshToken | ClientCredentials | JwtBearer | JwtExchange,
    Field(discriminator="type"),
]
