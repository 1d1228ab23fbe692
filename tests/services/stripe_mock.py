"""Stripe's own double: it checks parameters against Stripe's OpenAPI document. https://github.com/stripe/stripe-mock

Every list holds one fixed record and ends; limits, order and filters mean nothing to it.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from dataclasses import dataclass

from tests.services.builds import go_install, need_program
from tests.services.framework import Server, free_port, scratch

URL = "DATIVO_TEST_STRIPE_MOCK_URL"
MODULE = "github.com/stripe/stripe-mock@v0.203.0"
HINT = f"set {URL}, or run `python -m tests.services install stripe_mock` (needs Go)"


@dataclass
class StripeMock:
    url: str
    server: Server | None = None

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start() -> StripeMock:
    """The double of `DATIVO_TEST_STRIPE_MOCK_URL`, or one started here."""
    if url := os.environ.get(URL):
        return StripeMock(url)
    binary = need_program("stripe-mock", HINT)
    folder, port, other = scratch("stripe-mock"), free_port(), free_port()
    # without its second address it would listen for HTTPS everywhere
    command = [str(binary), "-http-addr", f"127.0.0.1:{port}", "-https-addr", f"127.0.0.1:{other}"]
    mock = StripeMock(f"http://127.0.0.1:{port}", Server(command, folder))
    assert mock.server
    mock.server.wait_until(lambda: _asks_for_a_key(mock.url))
    return mock


def _asks_for_a_key(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/v1/customers", timeout=1):
            return False
    except urllib.error.HTTPError as refused:
        return refused.code == 401
    except OSError:
        return False


def install() -> str:
    return go_install(MODULE, "stripe-mock")
