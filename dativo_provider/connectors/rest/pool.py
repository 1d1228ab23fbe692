"""The HTTP clients of one login, and how to end what they wait for."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.cookiejar import CookieJar
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    import ssl

    import httpx

__all__ = ["HttpPool", "failures", "open_pool"]

_TIMEOUTS = {"connect": 10.0, "write": 60.0, "pool": 120.0}
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")
_IDLE = 16  # clients kept for the next request
# Servers end a connection of HTTP/2 after so many requests (nginx: 1,000), and httpcore loses the answer under way.
_WORN = 500


class HttpPool:
    """Each client serves one exchange at a time, so no two threads meet on a connection: httpcore mixes up the streams
    of threads (https://github.com/pydantic/httpx2/pull/1153). There are as many as requests were ever under way at
    once, and the one used last is taken first."""

    def __init__(self, make: Callable[[], httpx.Client]) -> None:
        self._make, self._lock, self._closed = make, Lock(), False
        self._idle: list[tuple[httpx.Client, int]] = []  # with how many exchanges each has served
        self._sockets: WeakSet[socket.socket] = WeakSet()

    @contextmanager
    def lent(self) -> Iterator[httpx.Client]:
        """A client that is this thread's alone until the answer was read."""
        with self._lock:
            client, served = self._idle.pop() if self._idle else (self._make(), 0)
        try:
            yield client
        except BaseException:
            client.close()  # what is left of the answer would stand before the next one
            raise
        self._give_back(client, served + 1)

    def _give_back(self, client: httpx.Client, served: int) -> None:
        with self._lock:
            if kept := not (self._closed or client.is_closed or served >= _WORN or len(self._idle) >= _IDLE):
                self._idle.append((client, served))
        if not kept:
            client.close()

    def watch(self, request: httpx.Request) -> None:
        """Has httpcore trace the request, to know the socket it leaves by."""
        request.extensions["trace"] = self._trace

    def _trace(self, name: str, info: Mapping[str, Any]) -> None:
        if name.endswith(_CONNECTED) and (found := info["return_value"].get_extra_info("socket")) is not None:
            with self._lock:
                self._sockets.add(found)

    def cut(self) -> None:
        """Whoever waits for an answer gets an error at once. Called from another thread."""
        with self._lock:
            found = list(self._sockets)
        for each in found:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(each, socket.SHUT_RDWR)  # SSLSocket's own forgets TLS before it ends

    def close(self) -> None:
        """Clients that are lent are closed when they come back."""
        with self._lock:
            self._closed, gone, self._idle = True, self._idle, []
        for client, _ in gone:
            client.close()


@cache
def trusted() -> ssl.SSLContext:
    """The authorities that this machine trusts. Reading them takes 50 ms of a core: once for all conversations."""
    import httpx

    return httpx.create_ssl_context()


def failures() -> tuple[type[Exception], ...]:
    """What an exchange may end with: httpcore passes on what h2 raises in the middle of an answer."""
    import httpx
    from h2.exceptions import H2Error

    return httpx.HTTPError, H2Error


def open_pool(patience: float) -> HttpPool:
    """`patience` is how many seconds an answer may take to begin, or to go on."""
    import httpx

    authorities, cookies = trusted(), CookieJar()  # of all clients

    def make() -> httpx.Client:
        return httpx.Client(
            http2=True, verify=authorities, cookies=cookies,
            timeout=httpx.Timeout(**_TIMEOUTS, read=patience),
            follow_redirects=False,  # they are ours: httpx would take the headers along
            event_hooks={"request": [pool.watch]},
        )  # fmt: skip

    pool = HttpPool(make)
    return pool
