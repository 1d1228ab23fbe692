"""POST of JSON with a time limit: three attempts at most, none after twenty seconds, no redirects."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from typing import Any

from dativo_provider.errors import ConfigurationError, RetryableError

__all__ = ["post"]

_ATTEMPTS, _TIMEOUT, _BUDGET = 3, 5.0, 20.0
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST would become a GET, and might carry a token elsewhere."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def post(url: str, body: dict[str, Any] | bytes, headers: dict[str, str], *, name: str) -> bytes:
    """The answer. Raises `ConfigurationError` when it was refused, `RetryableError` when nobody answered in time.

    Neither names the URL, which may be a secret.
    """
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    if not url.lower().startswith(("http://", "https://")):
        raise ConfigurationError(f"the address of channel '{name}' is no http(s) URL", remedy="correct its `url`")
    started, failure = time.monotonic(), ""
    for attempt in range(_ATTEMPTS):
        request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method="POST")
        pause = 0.5 * 2**attempt
        try:
            with _OPENER.open(request, timeout=_TIMEOUT) as answer:
                return bytes(answer.read(1 << 16))
        except urllib.error.HTTPError as refused:
            refused.close()
            if refused.code not in _PASSING:
                raise _refused(name, refused.code) from None
            failure = f"HTTP {refused.code}"
            pause = _asked(refused.headers.get("Retry-After"), pause)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            failure = type(problem).__name__
        if attempt + 1 == _ATTEMPTS or time.monotonic() - started + pause > _BUDGET:
            break
        time.sleep(pause)
    raise RetryableError(f"channel '{name}' does not answer ({failure})", remedy="see whether its address is reachable")


def _asked(header: str | None, usual: float) -> float:
    return float(header) if header and header.isdigit() else usual


def _refused(name: str, code: int) -> ConfigurationError:
    return ConfigurationError(
        f"channel '{name}' refused the message with HTTP {code}",
        remedy="correct its address, token or channel; try with `dativo notify test`",
    )
