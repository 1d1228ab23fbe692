"""Toxiproxy: a network that cuts, delays and loses. https://github.com/Shopify/toxiproxy#http-api"""

from __future__ import annotations

import json
import os
import urllib.request
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.services.builds import answers, go_install, need_program
from tests.services.framework import Server, free_port, scratch

URL = "DATIVO_TEST_TOXIPROXY_URL"
MODULE = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0"
HINT = f"set {URL}, or run `python -m tests.services install toxiproxy` (needs Go)"
_numbers = count(1)


@dataclass
class Link:
    """A way to `upstream` (`host:port`) that leads through `address`."""

    toxiproxy: Toxiproxy
    name: str
    address: str

    def toxic(self, kind: str, stream: str = "downstream", **attributes: Any) -> None:
        """E.g. `toxic("limit_data", bytes=0)`: the request arrives, its answer never does."""
        body = {"type": kind, "stream": stream, "toxicity": 1.0, "attributes": attributes}
        self.toxiproxy.call("POST", f"proxies/{self.name}/toxics", body)

    def heal(self) -> None:
        for each in self.toxiproxy.call("GET", f"proxies/{self.name}/toxics"):
            self.toxiproxy.call("DELETE", f"proxies/{self.name}/toxics/{each['name']}")

    def cut(self) -> None:
        """Refuses connections and ends those there are, until `mend`."""
        self.toxiproxy.call("POST", f"proxies/{self.name}", {"enabled": False})

    def mend(self) -> None:
        self.toxiproxy.call("POST", f"proxies/{self.name}", {"enabled": True})


@dataclass
class Toxiproxy:
    url: str
    server: Server | None = None
    links: list[str] = field(default_factory=list)

    def link(self, upstream: str) -> Link:
        name = f"link-{os.getpid()}-{next(_numbers)}"
        made = self.call("POST", "proxies", {"name": name, "listen": "127.0.0.1:0", "upstream": upstream})
        return Link(self, name, str(made["listen"]))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start() -> Toxiproxy:
    """The one of `DATIVO_TEST_TOXIPROXY_URL`, or one started here."""
    if url := os.environ.get(URL):
        return Toxiproxy(url)
    binary = need_program("toxiproxy-server", HINT)
    folder, port = scratch("toxiproxy"), free_port()
    url = f"http://127.0.0.1:{port}"
    server = Server([str(binary), "-host", "127.0.0.1", "-port", str(port)], folder, env={"LOG_LEVEL": "error"})
    server.wait_until(lambda: answers(f"{url}/version"))
    return Toxiproxy(url, server)


def install() -> str:
    return go_install(MODULE, "toxiproxy-server")
