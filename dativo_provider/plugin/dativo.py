"""Imported by every Airflow process, each task included: nothing heavy may be imported here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

__all__ = ["DativoPlugin"]

Message = MutableMapping[str, Any]


class _Pages:
    """`plugin.api`, imported when the web server is first asked for one of its pages. https://asgi.readthedocs.io"""

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        from dativo_provider.plugin.api import app

        await app(scope, receive, send)


class DativoPlugin(AirflowPlugin):  # type: ignore[misc] # Airflow is untyped here
    name = "dativo"
    fastapi_apps = [{"app": _Pages(), "url_prefix": "/dativo", "name": "Dativo"}]
