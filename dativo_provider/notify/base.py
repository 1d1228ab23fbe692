"""What every channel is given, and what it does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.notices import ChannelSpec, Message
from dativo_provider.notify.http import post

__all__ = ["Channel"]


@dataclass
class Channel(ABC):
    """`url` and `arguments` have their references replaced; `connection` is empty where the channel names none."""

    spec: ChannelSpec
    connection: Connection
    url: str
    arguments: Mapping[str, Any]
    ctx: RunContext

    @abstractmethod
    def send(self, message: Message) -> None:
        """Within half a minute. Raises `DativoError`; no message of it holds a secret."""

    def post(self, url: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> bytes:
        return post(url, body, headers or {}, name=self.spec.name)

    def address(self, default: str = "") -> str:
        """Where to post: the channel's own URL, else what the connection says."""
        if found := self.url or _of_connection(self.connection) or default:
            return found
        raise ConfigurationError(
            f"channel '{self.spec.name}' has no address",
            remedy="give it `url: ${SECRET:…}`, or an Airflow connection with a host",
        )


def _of_connection(connection: Connection) -> str:
    """Host and secret path as Airflow keeps them: a webhook's path is its password, or the password is all of it."""
    if urlsplit(connection.password).scheme in ("http", "https"):
        return connection.password
    if not connection.host:
        return ""
    host = connection.host if "://" in connection.host else f"{connection.schema or 'https'}://{connection.host}"
    port = f":{connection.port}" if connection.port else ""
    return host.rstrip("/") + port
