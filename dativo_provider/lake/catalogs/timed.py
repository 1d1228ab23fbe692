"""PyIceberg's REST catalog with a limit to how long an answer may take: it has none, and a dead peer never answers.

And an answer that was cut off is told from a whole one: if it ends among its headers, it passes for one without a body.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pyiceberg.catalog.rest import RestCatalog
from requests import ConnectionError as LostConnection
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter

__all__ = ["TimedAdapter", "TimedRestCatalog"]

_CONNECT_SECONDS, _ANSWER_SECONDS = 10.0, 120.0
_NO_BODY = (204, 304)


class TimedAdapter(HTTPAdapter):
    def send(
        self, request: PreparedRequest, stream: bool = False, timeout: Any = None, *more: Any, **named: Any
    ) -> Response:
        answer = super().send(request, stream, timeout or (_CONNECT_SECONDS, _ANSWER_SECONDS), *more, **named)
        if _is_cut_off(answer):
            raise LostConnection("the answer ended within its headers", request=request, response=answer)
        return answer


def _is_cut_off(answer: Response) -> bool:
    """How long a whole one is would be said: https://www.rfc-editor.org/rfc/rfc9112#section-6.3"""
    bodiless = answer.request.method == "HEAD" or answer.status_code in _NO_BODY
    until_close = getattr(answer.raw, "version", 11) < 11 or answer.headers.get("Connection", "").lower() == "close"
    told = answer.headers.get("Content-Length") or answer.headers.get("Transfer-Encoding")
    return not (bodiless or until_close or told)


class TimedRestCatalog(RestCatalog):  # type: ignore[misc]
    adapter: ClassVar[type[TimedAdapter]] = TimedAdapter

    def _create_session(self) -> Session:
        session: Session = super()._create_session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, self.adapter())
        return session
