"""PyIceberg's REST catalog with a limit to how long an answer may take: it has none, and a dead peer never answers."""

from __future__ import annotations

from typing import Any, ClassVar

from pyiceberg.catalog.rest import RestCatalog
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

__all__ = ["TimedAdapter", "TimedRestCatalog"]

_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 120.0


class TimedAdapter(HTTPAdapter):
    def send(
        self, request: PreparedRequest, stream: bool = False, timeout: Any = None, *more: Any, **named: Any
    ) -> Response:
        return super().send(request, stream, timeout or (_CONNECT_SECONDS, _ANSWER_SECONDS), *more, **named)


class TimedRestCatalog(RestCatalog):  # type: ignore[misc]
    adapter: ClassVar[type[TimedAdapter]] = TimedAdapter

    def _create_session(self) -> Session:
        session: Session = super()._create_session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, self.adapter())
        return session
