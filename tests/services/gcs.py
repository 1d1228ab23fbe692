"""Google Cloud Storage: fake-gcs-server; it takes any token. https://github.com/fsouza/fake-gcs-server"""

from __future__ import annotations

import json
import os
import urllib.request
from dataclasses import dataclass
from itertools import count

from tests.services.builds import answers, go_install, need_program
from tests.services.framework import Server, free_port, scratch

URL = "DATIVO_TEST_GCS_URL"
MODULE = "github.com/fsouza/fake-gcs-server@v1.56.1"
HINT = f"set {URL}, or run `python -m tests.services install gcs` (needs Go)"
_FAR = "4102444800000"  # 2100-01-01 in milliseconds
_numbers = count(1)


@dataclass
class Gcs:
    endpoint: str
    server: Server | None = None

    @property
    def properties(self) -> dict[str, str]:
        """In PyIceberg's words."""
        return {
            "gcs.service.host": self.endpoint,
            "gcs.oauth2.token": "a-token",
            "gcs.oauth2.token-expires-at": _FAR,
            "gcs.project-id": "dativo",
        }

    def bucket(self) -> str:
        """The name of a fresh bucket."""
        name = f"dativo-{os.getpid()}-{next(_numbers)}"
        request = urllib.request.Request(
            f"{self.endpoint}/storage/v1/b?project=dativo",
            data=json.dumps({"name": name}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10):
            return name

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start() -> Gcs:
    """The store of `DATIVO_TEST_GCS_URL`, or one started here."""
    if url := os.environ.get(URL):
        return Gcs(url)
    binary = need_program("fake-gcs-server", HINT)
    folder, port = scratch("gcs"), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(binary), "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory"]
    names = ["-public-host", f"127.0.0.1:{port}", "-external-url", url, "-log-level", "error"]
    store = Gcs(url, Server([*command, *names], folder))
    assert store.server
    store.server.wait_until(lambda: answers(f"{url}/_internal/healthcheck"))
    return store


def install() -> str:
    return go_install(MODULE, "fake-gcs-server")
