"""The HTTP client of one login, and how to end what it waits for."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    import httpx

__all__ = ["Wires", "open_http"]

_TIMEOUTS = {"connect": 10.0, "write": 60.0, "pool": 120.0}
_CONNECTED = ("connect_tcp.complete", "start_tls.complete")


class Wires:
    """The sockets that requests went through, found by httpcore's trace of each request."""

    def __init__(self) -> None:
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def trace(self, name: str, info: Mapping[str, Any]) -> None:
        if name.endswith(_CONNECTED) and (found := info["return_value"].get_extra_info("socket")) is not None:
            self._sockets.add(found)

    def cut(self) -> None:
        """Whoever waits for an answer gets an error at once. Called from another thread."""
        for each in list(self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def open_http(patience: float) -> httpx.Client:
    """`patience` is how many seconds an answer may take to begin, or to go on."""
    import httpx

    return httpx.Client(
        # Not HTTP/2: httpcore gives two threads that ask at once one stream (https://github.com/encode/httpcore/issues/3072)
        timeout=httpx.Timeout(**_TIMEOUTS, read=patience),
        follow_redirects=False,  # they are ours: httpx would take the headers along
    )
