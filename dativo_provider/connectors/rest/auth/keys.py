"""Keys that are shown with each request: API keys, bearer tokens, user names with passwords."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from dativo_provider.config.shapes.base import Wrong
from dativo_provider.connectors.rest.auth.base import Auth, Fetch, Held, basic
from dativo_provider.connectors.rest.values import text

__all__ = ["ApiKey", "Basic", "Bearer", "Nobody"]


class Nobody(Auth):
    """The API asks nobody who they are."""

    type: Literal["none"] = "none"

    def _required(self) -> tuple[str, ...]:
        return ()

    def hold(self, values: Mapping[str, Any], fetch: Fetch) -> Held:
        return Held()


class ApiKey(Auth):
    """A key in a header or a query parameter."""

    type: Literal["api_key"] = "api_key"
    key: str = Field(default="{api_key}", description="The key.")
    header: str = Field(default="", description="Header that carries it.")
    param: str = Field(default="", description="Query parameter that carries it; such keys end in logs of proxies.")

    @model_validator(mode="after")
    def _one_place(self) -> ApiKey:
        if bool(self.header) == bool(self.param):
            raise Wrong("needs either `header` or `param`", "name the one place that the API reads")
        return self

    def _required(self) -> tuple[str, ...]:
        return (self.key,)

    def hold(self, values: Mapping[str, Any], fetch: Fetch) -> Held:
        key = text(self.key, values)
        return Held({self.header: key}) if self.header else Held(params={self.param: key})


class Bearer(Auth):
    """A token in the Authorization header (RFC 6750)."""

    type: Literal["bearer"] = "bearer"
    token: str = Field(default="{api_key}", description="The token.")
    scheme: str = Field(default="Bearer", description="The word before it.")

    def _required(self) -> tuple[str, ...]:
        return (self.token,)

    def hold(self, values: Mapping[str, Any], fetch: Fetch) -> Held:
        return Held({"Authorization": f"{self.scheme} {text(self.token, values)}"})


class Basic(Auth):
    """A user name and a password (RFC 7617)."""

    type: Literal["basic"] = "basic"
    username: str = Field(default="{username}", description="The user name.")
    password: str = Field(default="{password}", description="The password; may be empty where the API has none.")

    def _required(self) -> tuple[str, ...]:
        return (self.username, self.password)

    def hold(self, values: Mapping[str, Any], fetch: Fetch) -> Held:
        return Held({"Authorization": basic(text(self.username, values), text(self.password, values))})
