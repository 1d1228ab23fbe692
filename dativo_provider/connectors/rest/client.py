"""One conversation with an API: login, pace, breaker, errors, JSON.

A request is made once here, or twice when a renewed token may help; `BaseReader.request` repeats what may pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from dativo_provider.connectors.rest.answers import error_of, meaning
from dativo_provider.connectors.rest.auth import Held
from dativo_provider.connectors.rest.breaker import Breaker
from dativo_provider.connectors.rest.decode import kind, parsed
from dativo_provider.connectors.rest.limits import VENDOR
from dativo_provider.connectors.rest.login import Fresh, Keep, Login
from dativo_provider.connectors.rest.pace import Pace
from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.pool import failures
from dativo_provider.connectors.rest.quota import DAY, Quota
from dativo_provider.connectors.rest.shared import Shared
from dativo_provider.connectors.rest.spec import Api, ErrorRule, Limit
from dativo_provider.connectors.rest.values import filled, text
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, RateLimited, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.observability.masking import Masker
from dativo_provider.store.leases import leases_of, shared_place
from dativo_provider.store.shares import shares_of

if TYPE_CHECKING:
    import httpx

__all__ = ["Body", "Call", "Client"]

T = TypeVar("T")

_LARGEST = 256 << 20  # bytes of one answer
_REDIRECTS = 5
_MOST_TOLD = 5  # addresses whose end is announced


@dataclass(frozen=True)
class Call:
    """A request with everything filled in. `url` is whole, or a path below the API's base."""

    url: str
    method: str = "GET"
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    once: bool = False  # not again, once the API may have answered


@dataclass(frozen=True)
class Body:
    """An answer on its way."""

    headers: Mapping[str, str]
    parts: Iterator[bytes]


class Client:
    """`values` are settings and credentials by name; `limits` those of the API after the job's own were put over.
    A wait that the API asks for and that is longer than `patience` seconds is left to the run."""

    def __init__(
        self, api: Api, values: Mapping[str, Any], ctx: RunContext, masker: Masker, limits: Mapping[str, Limit],
        share: float = 1.0, *, tasks: int = 1, patience: float = 300.0, fresh: Fresh | None = None,
        keep: Keep | None = None,
    ) -> None:  # fmt: skip
        self._api, self._ctx, self._limits, self._share, self._tasks = api, ctx, dict(limits), share, tasks
        self._patience = patience
        self.notes: list[str] = []  # for the run's report
        self._told: set[str] = set()
        self.base = text(str(values.get("base_url") or api.base_url), values).rstrip("/")
        self._login = Login(api, values, self.base, ctx, masker, fresh, keep)
        self._origin = _origin(self.base)

    @property
    def values(self) -> Mapping[str, Any]:
        """Settings, and what the login told."""
        held = self._login.held()
        return {**self._login.values, **held.values}

    def send(self, call: Call, limits: Sequence[str] = ()) -> Page:
        """The answer of a request under the API's own limit and those named. A login that is over is renewed once,
        and then its secrets are read again once.

        Raises `RateLimited`, `SourceUnavailable`, `CredentialError`, `Missing`, `ConfigurationError`.
        """
        return self._logged_in(lambda held: self._paced(call, limits, lambda where: self._answered(call, where, held)))

    @contextmanager
    def stream(self, call: Call, limits: Sequence[str] = ()) -> Iterator[Body]:
        """The same for an answer too large to hold, which need not be JSON. Inside, its parts arrive."""
        answer, ending = self._logged_in(
            lambda held: self._paced(call, limits, lambda where: self._begun(call, where, held))
        )
        with self._talking(call.url.partition("?")[0]), ending:
            yield Body(answer.headers, answer.iter_bytes())

    def _logged_in(self, ask: Callable[[Held], T]) -> T:
        held, refused = self._login.held(), None
        for renew in (None, self._login.renewed, self._login.reread):
            try:
                following = renew(held) if renew else held
                if renew and following is held:
                    continue
                held = following
                return ask(held)
            except _Expired as expired:
                refused = expired.error
            except CredentialError as error:
                if renew is None or refused is None:
                    raise
                refused = error
        assert refused is not None
        raise refused from None

    def interrupt(self) -> None:
        """Ends the requests under way."""
        self._login.http.cut()

    def farewell(self, call: Call) -> None:
        """Tells the API, of a run that was cancelled, to end what it does for us. Raises `SourceUnavailable`."""
        with self._talking(call.url), self._asked(call, self._login.held()):
            pass

    def pause(self, seconds: float) -> None:
        """Raises `Cancelled` when the run is."""
        self._ctx.cancelled.wait(seconds)
        self._ctx.check_cancelled()

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

    def _paced(self, call: Call, limits: Sequence[str], ask: Callable[[str], T]) -> T:
        where = self.url_of(call.url).partition("?")[0]
        paces = self._paces(limits)
        self._wait(paces, where)
        left = monotonic()
        try:
            with self._breaker.asking(where):
                found = ask(where)
        except RateLimited as error:
            for pace in paces:
                pace.refused(error.retry_after, left)
            raise
        for pace in paces:
            pace.answered()
        return found

    def _answered(self, call: Call, where: str, held: Held) -> Page:
        with self._talking(where), self._asked(call, held) as answer:
            links = {str(name): link["url"] for name, link in answer.links.items() if "url" in link}
            status, headers, content = answer.status_code, answer.headers, _content(answer, where)
        body, broken = parsed(content)
        rule = meaning(status, body, headers, self._api.errors)
        if rule is not None and rule.means == "empty":
            return Page(where, None, (), headers)
        if rule is not None:
            raise self._error(rule, status, body, headers, where)
        if broken and status != 204:
            raise SourceUnavailable(
                f"the API answered {status} with {kind(content, headers)}, not JSON", where=where,
                remedy="look whether base_url is right, or a proxy or a login page answers for the API",
            )  # fmt: skip
        self._warn_of_sunset(headers, where)
        return Page(where, body, (), headers, links, len(content))

    def _begun(self, call: Call, where: str, held: Held) -> tuple[httpx.Response, ExitStack]:
        """An answer whose body is still to come, and what ends it."""
        with self._talking(where), ExitStack() as ending:
            answer = ending.enter_context(self._asked(call, held))
            if answer.status_code < 400:
                return answer, ending.pop_all()
            body, _ = parsed(_content(answer, where))
        rule = meaning(answer.status_code, body, answer.headers, self._api.errors)
        assert rule is not None  # of every status from 400 on
        raise self._error(rule, answer.status_code, body, answer.headers, where)

    def _error(self, rule: ErrorRule, status: int, body: Any, headers: Mapping[str, str], where: str) -> Exception:
        error = error_of(rule, status, body, headers, where, self._ctx.now())
        return _Expired(error) if rule.means == "expired" else error

    @contextmanager
    def _asked(self, call: Call, held: Held) -> Iterator[httpx.Response]:
        """The answer, open."""
        headers = {"Accept": "application/json", **self._fixed, **call.headers, **held.headers}
        params = {**_flat(call.params), **held.params}
        import httpx

        url = httpx.URL(self.url_of(call.url))  # whose own query stays: `params=` would replace it
        whole = url.copy_merge_params(params) if params else url
        with self._login.http.lent() as http:
            request = http.build_request(call.method, whole, json=call.body or None, headers=headers)
            answer = self._followed(http, http.send(request, stream=True))
            try:
                yield answer
            finally:
                read = answer.is_closed
                answer.close()
                if not read:  # nobody wanted the rest, which would come all the same
                    http.close()

    @contextmanager
    def _talking(self, where: str) -> Iterator[None]:
        import httpx

        try:
            yield
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise ConfigurationError(
                f"this is no address: {error}", where=where, remedy="correct base_url: it begins with https://"
            ) from error
        except failures() as error:
            raise SourceUnavailable(
                f"the API could not be asked ({type(error).__name__}: {error})", where=where,
                remedy="check base_url, the network and the vendor's status page",
            ) from error  # fmt: skip

    def _followed(self, http: httpx.Client, answer: httpx.Response) -> httpx.Response:
        """Redirections on the same host only: httpx would take the headers along."""
        for _ in range(_REDIRECTS):
            following = answer.next_request
            if following is None:
                return answer
            answer.close()
            self.url_of(str(following.url))
            answer = http.send(following, stream=True)
        if answer.next_request is not None:
            answer.close()
            raise SourceUnavailable(
                f"the API redirects more than {_REDIRECTS} times", where=str(answer.url).partition("?")[0],
                remedy="look whether base_url is right",
            )  # fmt: skip
        return answer

    def _wait(self, paces: Sequence[Pace], where: str) -> None:
        asked = max((pace.blocked() for pace in paces), default=0.0)
        if asked > self._patience:
            raise RateLimited(
                f"the API asked to be left alone for {asked:.0f} s more", where=where, retry_after=asked,
                remedy="run again then",
            )  # fmt: skip
        wait = max((pace.reserve(self.pause) for pace in paces), default=0.0)
        if wait > 0:
            self._ctx.cancelled.wait(wait)
        self._ctx.check_cancelled()

    def _warn_of_sunset(self, headers: Mapping[str, str], where: str) -> None:
        """RFC 8594 and RFC 9745: the vendor has announced the end of what was asked."""
        found = headers.get("sunset") or headers.get("deprecation")
        if not found or where in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told.add(where)
        note = f"the vendor ends this part of its API ({found}): {where}; update the spec"
        self.notes.append(note)
        told = self._ctx.kept.get(("rest.sunset", self._api.api), set[str])
        if where not in told:
            told.add(where)
            self._ctx.log.warning(note)

    # what requests share ------------------------------------------------------------------------------------

    @cached_property
    def _fixed(self) -> dict[str, str]:
        return {name: str(value) for name, value in (filled(self._api.headers, self._login.values) or {}).items()}

    @cached_property
    def _breaker(self) -> Breaker:
        return self._ctx.kept.get(("rest.breaker", self._origin), lambda: Breaker(monotonic))

    def _paces(self, limits: Sequence[str]) -> list[Pace]:
        """Those of the request, and quotas of a day or longer, which are about all."""
        quotas = (name for name, limit in self._limits.items() if limit.per >= DAY)
        names = [name for name in ("default", VENDOR, *limits, *quotas) if name in self._limits]
        return [self._pace(name, self._limits[name]) for name in dict.fromkeys(names)]

    def _pace(self, name: str, limit: Limit) -> Pace:
        key = ("rest.pace", self._login.identity, name, limit.requests, limit.per, self._share)
        alone = () if self._is_counted else (self._tasks,)
        place = f"{self._account}/{name}"  # before: it asks for what is kept itself
        return self._ctx.kept.get((*key, *alone), lambda: self._made_pace(limit, place))

    @cached_property
    def _is_counted(self) -> bool:
        """Whether tasks can be counted while they run, rather than as they are planned."""
        return shared_place(self._ctx.settings, "limits") is not None

    def _made_pace(self, limit: Limit, place: str) -> Pace:
        settings, log = self._ctx.settings, self._ctx.log
        if limit.per >= DAY:
            if leases := leases_of(settings, place, limit.requests, limit.per):
                return Quota(leases, limit.requests, limit.per, log, self._share)
        elif shares := shares_of(settings, place, limit.requests * self._share):
            requests = limit.requests * self._share
            return Shared(shares, requests, limit.per, 1 / self._tasks, log, monotonic)
        return Pace(limit.requests, limit.per, monotonic, self._share / self._tasks)

    @property
    def _account(self) -> str:
        """What a vendor counts together. Tokens change; settings that are no secret tell accounts apart."""
        plain = {key: self._login.values.get(key) for key, each in self._api.settings.items() if not each.secret}
        account = sha256(repr((self._origin, sorted(plain.items()))).encode()).hexdigest()[:12]
        return f"{self._ctx.labels.get('tenant') or '_'}/{self._api.api}-{account}"


class _Expired(Exception):
    """The API says that the login is not, or no longer, good."""

    def __init__(self, error: DativoError) -> None:
        super().__init__(str(error))
        self.error = error


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
