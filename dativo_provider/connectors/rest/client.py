"""One conversation with an API: login, pace, breaker, errors, JSON.

A request is made once here, or twice when a renewed token may help; `BaseReader.request` repeats what may pass.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from dativo_provider.connectors.rest.answers import asked_wait, error_of, meaning
from dativo_provider.connectors.rest.auth import Auth, Held
from dativo_provider.connectors.rest.breaker import Breaker
from dativo_provider.connectors.rest.pace import Pace
from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.spec import Api, ErrorRule, Limit
from dativo_provider.connectors.rest.values import filled, text
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, RateLimited, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.observability.masking import Masker

if TYPE_CHECKING:
    import httpx
    import msgspec

__all__ = ["Call", "Client"]

_LARGEST = 256 << 20  # bytes of one answer
_TIMEOUTS = {"connect": 10.0, "read": 120.0, "write": 60.0, "pool": 120.0}
_REDIRECTS = 5
_WHY = ("error_description", "error", "message")  # why a token endpoint refuses


@dataclass(frozen=True)
class Call:
    """A request with everything filled in. `url` is whole, or a path below the API's base."""

    url: str
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Client:
    """`values` are settings and credentials by name; `limits` those of the API after the job's own were put over."""

    def __init__(
        self, api: Api, values: Mapping[str, Any], ctx: RunContext, masker: Masker, limits: Mapping[str, Limit],
        share: float = 1.0,
    ) -> None:  # fmt: skip
        self._api, self._values, self._ctx, self._masker = api, dict(values), ctx, masker
        self._limits, self._share = dict(limits), share
        self.base = text(str(self._values.get("base_url") or api.base_url), self._values).rstrip("/")
        for secret in _secrets(api, self._values):
            masker.add(secret)
        self._values["base_url"] = self.base  # a spec may put `{base_url}` before other addresses
        self._origin = _origin(self.base)
        self._lock = Lock()

    @property
    def values(self) -> Mapping[str, Any]:
        """Settings, and what the login told."""
        return {**self._values, **self._held().values}

    def send(self, call: Call, limits: Sequence[str] = ()) -> Page:
        """The answer of a request under the API's own limit and those named.

        Raises `RateLimited`, `SourceUnavailable`, `CredentialError`, `Missing`, `ConfigurationError`.
        """
        held = self._held()
        try:
            return self._sent(call, held, limits)
        except _Expired as expired:
            if not self._auth.renewable:
                raise expired.error from None
        try:
            return self._sent(call, self._renewed(held), limits)
        except _Expired as expired:
            raise expired.error from None

    def url_of(self, url: str) -> str:
        """The whole address. Raises `ConfigurationError` for one on another host: credentials stay with the API."""
        whole = url if "://" in url else urljoin(f"{self.base}/", url.lstrip("/")) if url else self.base
        if _origin(whole) != self._origin:
            raise ConfigurationError(
                f"the API's address is {self._origin}, and a page was asked for from {_origin(whole)}",
                remedy="set source.connection.base_url to the host that answers",
            )
        return whole

    # one request --------------------------------------------------------------------------------------------

    def _sent(self, call: Call, held: Held, limits: Sequence[str]) -> Page:
        url = self.url_of(call.url)
        where = url.partition("?")[0]
        self._breaker.admit(where)
        self._wait(limits)
        try:
            page = self._answered(call, url, where, held)
        except SourceUnavailable:
            self._breaker.failed()
            raise
        except RateLimited as error:
            self._breaker.answered()
            for pace in self._paces(limits):
                pace.refused(error.retry_after)
            raise
        self._breaker.answered()
        for pace in self._paces(limits):
            pace.answered()
        return page

    def _answered(self, call: Call, url: str, where: str, held: Held) -> Page:
        status, headers, content, links = self._exchange(call, url, where, held)
        body, broken = _parsed(content)
        rule = meaning(status, body, headers, self._api.errors)
        if rule is not None:
            raise self._error(rule, status, body, headers, where)
        if broken and status != 204:
            raise SourceUnavailable(
                f"the API answered {status} with {_kind(content, headers)}, not JSON", where=where,
                remedy="look whether base_url is right, or a proxy or a login page answers for the API",
            )  # fmt: skip
        self._warn_of_sunset(headers, where)
        return Page(where, body, (), headers, links)

    def _error(self, rule: ErrorRule, status: int, body: Any, headers: Mapping[str, str], where: str) -> Exception:
        error = error_of(rule, status, body, headers, where, self._ctx.now())
        return _Expired(error) if rule.means == "expired" else error

    def _exchange(
        self, call: Call, url: str, where: str, held: Held
    ) -> tuple[int, Mapping[str, str], bytes, Mapping[str, str]]:
        import httpx

        headers = {"Accept": "application/json", **self._fixed, **call.headers, **held.headers}
        params = {**_flat(call.params), **held.params}
        request = self._http.build_request(
            call.method, url, params=params or None, json=call.body or None, headers=headers
        )
        try:
            answer = self._http.send(request, stream=True)
            try:
                answer = self._followed(answer)
                links = {str(name): link["url"] for name, link in answer.links.items() if "url" in link}
                return answer.status_code, answer.headers, _content(answer, where), links
            finally:
                answer.close()
        except httpx.HTTPError as error:
            raise SourceUnavailable(
                f"the API could not be asked ({type(error).__name__}: {error})", where=where,
                remedy="check base_url, the network and the vendor's status page",
            ) from error  # fmt: skip

    def _followed(self, answer: httpx.Response) -> httpx.Response:
        """Redirections on the same host only: httpx would take the headers along."""
        for _ in range(_REDIRECTS):
            following = answer.next_request
            if following is None:
                return answer
            self.url_of(str(following.url))
            answer.close()
            answer = self._http.send(following, stream=True)
        return answer

    def _wait(self, limits: Sequence[str]) -> None:
        wait = max((pace.reserve() for pace in self._paces(limits)), default=0.0)
        if wait > 0:
            self._ctx.cancelled.wait(wait)
        self._ctx.check_cancelled()

    def _warn_of_sunset(self, headers: Mapping[str, str], where: str) -> None:
        """RFC 8594 and RFC 9745: the vendor has announced the end of what was asked."""
        found = headers.get("sunset") or headers.get("deprecation")
        told = self._ctx.kept.get(("rest.sunset", self._api.api), set[str])
        if found and where not in told:
            told.add(where)
            self._ctx.log.warning("%s: the vendor ends this part of its API (%s); update the spec", where, found)

    # what requests share ------------------------------------------------------------------------------------

    @cached_property
    def _identity(self) -> str:
        """Tells one login from another without showing it."""
        told = "\0".join(f"{name}={value}" for name, value in sorted(self._values.items()))
        return hashlib.sha256(f"{self._api.api}\0{told}".encode()).hexdigest()

    @cached_property
    def _auth(self) -> Auth:
        for auth in self._api.auth:
            if auth.fits(self._values):
                return auth
        ways = " or ".join(" and ".join(each.needs) for each in self._api.auth)
        raise CredentialError(
            f"no credentials for '{self._api.api}'", where=self.base, remedy=f"set source.credentials: {ways}"
        )

    @cached_property
    def _fixed(self) -> dict[str, str]:
        return {name: str(value) for name, value in (filled(self._api.headers, self._values) or {}).items()}

    @cached_property
    def _breaker(self) -> Breaker:
        return self._ctx.kept.get(("rest.breaker", self._origin), lambda: Breaker(monotonic))

    def _paces(self, limits: Sequence[str]) -> list[Pace]:
        names = [name for name in ("default", *limits) if name in self._limits]
        return [self._pace(name, self._limits[name]) for name in dict.fromkeys(names)]

    def _pace(self, name: str, limit: Limit) -> Pace:
        key = ("rest.pace", self._identity, name, limit.requests, limit.per, self._share)
        return self._ctx.kept.get(key, lambda: Pace(limit.requests, limit.per, monotonic, self._share))

    @cached_property
    def _http(self) -> httpx.Client:
        import httpx

        def made() -> httpx.Client:
            return httpx.Client(timeout=httpx.Timeout(**_TIMEOUTS), http2=_speaks_http2(), follow_redirects=False)

        return self._ctx.kept.get(("rest.http", self._origin), made)

    def _held(self) -> Held:
        with self._lock:
            return self._logins.setdefault("held", None) or self._login()

    def _renewed(self, old: Held) -> Held:
        """A new login, unless another thread has made one since `old`."""
        with self._lock:
            now = self._logins.get("held")
            return now if now is not None and now is not old else self._login()

    @cached_property
    def _logins(self) -> dict[str, Held | None]:
        return self._ctx.kept.get(("rest.login", self._identity), dict)

    def _login(self) -> Held:
        held = self._auth.hold(self._values, self._fetch)
        for secret in held.secrets:
            self._masker.add(secret)
        self._logins["held"] = held
        return held

    def _fetch(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:
        import httpx

        try:
            answer = self._http.post(url, data=dict(form), headers={"Accept": "application/json", **headers})
        except httpx.HTTPError as error:
            raise SourceUnavailable(
                f"the token endpoint could not be asked ({type(error).__name__})", where=url,
                remedy="check source.connection.token_url and the network",
            ) from error  # fmt: skip
        body, _ = _parsed(answer.content)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise SourceUnavailable(f"the token endpoint answered {answer.status_code}", where=url,
                                    retry_after=asked_wait(answer.headers, self._ctx.now()))  # fmt: skip
        if answer.status_code >= 400 or not isinstance(body, dict):
            why = (
                next((body[name] for name in _WHY if isinstance(body.get(name), str)), "")
                if isinstance(body, dict)
                else ""
            )
            raise CredentialError(
                f"the token endpoint refused the login ({answer.status_code}{f': {why}' if why else ''})", where=url,
                remedy="renew the credentials of source.connection",
            )  # fmt: skip
        return body


class _Expired(Exception):
    """The API says that the login is not, or no longer, good."""

    def __init__(self, error: DativoError) -> None:
        super().__init__(str(error))
        self.error = error


def _secrets(api: Api, values: Mapping[str, Any]) -> Iterator[str]:
    """Credentials of every login, and settings that the spec calls secret, whatever their names."""
    names = {name for auth in api.auth for name in auth.needs} - api.settings.keys()
    names |= {name for name, each in api.settings.items() if each.secret}
    return (str(values[name]) for name in names if values.get(name))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port and (parts.scheme, parts.port) not in (("https", 443), ("http", 80)) else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}".lower()


def _flat(params: Mapping[str, Any]) -> dict[str, Any]:
    """As query strings say it: lists repeat, true is `true`."""
    said = {True: "true", False: "false"}
    return {name: said[value] if isinstance(value, bool) else value for name, value in params.items()}


def _content(answer: httpx.Response, where: str) -> bytes:
    parts, size = [], 0
    for part in answer.iter_bytes():
        size += len(part)
        if size > _LARGEST:
            raise ConfigurationError(
                f"one answer is larger than {_LARGEST >> 20} MB", where=where, remedy="ask for smaller pages"
            )
        parts.append(part)
    return b"".join(parts)


def _parsed(content: bytes) -> tuple[Any, bool]:
    """The JSON value and whether there was none. Fractions stay exact, as `Decimal`."""
    import msgspec

    try:
        return _decoder().decode(content), False
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None, True


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    import msgspec

    return msgspec.json.Decoder(float_hook=Decimal)


def _kind(content: bytes, headers: Mapping[str, str]) -> str:
    head = content[:200].lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "an HTML page"
    if head.startswith((b"{", b"[")):
        return "JSON that is cut off"
    return f"'{headers.get('content-type', 'no type')}'"


def _speaks_http2() -> bool:
    from importlib.util import find_spec

    return find_spec("h2") is not None
