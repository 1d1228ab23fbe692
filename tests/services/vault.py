"""HashiCorp Vault in its development mode. https://developer.hashicorp.com/vault/docs/concepts/dev-server

Built from `vault_go/`, whose go.mod names versions that compile together, when `install vault` is asked for by name: it
takes seven minutes of two cores. Where it is not there, a stand-in answers. Its licence (BUSL) is for tests only.
"""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.services.builds import answers, program
from tests.services.framework import Server, Unavailable, free_port, run, scratch, services_folder
from tests.services.vault_stand_in import stand_in

URL = "DATIVO_TEST_VAULT_URL"
TOKEN = "root-of-the-tests"
_numbers = count(1)


@dataclass
class Vault:
    url: str
    server: Server | None = None
    stand_in: ExitStack | None = None
    mounts: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"X-Vault-Token": TOKEN, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/v1/{path}", data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def mount(self, version: int) -> str:
        """A new KV engine."""
        name = f"kv{version}-{os.getpid()}-{next(_numbers)}"
        self.call("POST", f"sys/mounts/{name}", {"type": "kv", "options": {"version": str(version)}})
        return name

    def role(self, mount: str) -> tuple[str, str]:
        """Role and secret id of an AppRole that may read and write `mount`."""
        name = f"role-{next(_numbers)}"
        if "approle/" not in self.call("GET", "sys/auth")["data"]:
            self.call("POST", "sys/auth/approle", {"type": "approle"})
        rights = f'path "{mount}/*" {{ capabilities = ["create", "read", "update"] }}'
        self.call("PUT", f"sys/policies/acl/{name}", {"policy": rights})
        self.call("POST", f"auth/approle/role/{name}", {"token_policies": [name], "token_ttl": "1h"})
        role = self.call("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        return role, self.call("POST", f"auth/approle/role/{name}/secret-id")["data"]["secret_id"]

    def stop(self) -> None:
        if self.server:
            self.server.stop()
        if self.stand_in:
            self.stand_in.close()


def start() -> Vault:
    """The one of `DATIVO_TEST_VAULT_URL` (root token `root-of-the-tests`), one started here, or the stand-in."""
    if url := os.environ.get(URL):
        return Vault(url)
    binary = program("vault")
    if binary is None:
        stack = ExitStack()
        return Vault(stack.enter_context(stand_in(TOKEN)), stand_in=stack)
    folder, port = scratch("vault"), free_port()
    address = f"127.0.0.1:{port}"
    command = [str(binary), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={TOKEN}",
               f"-dev-listen-address={address}"]  # fmt: skip
    server = Server(command, folder, env={"HOME": str(folder)})
    server.wait_until(lambda: answers(f"http://{address}/v1/sys/health"))
    return Vault(f"http://{address}", server)


def install() -> str:
    if found := program("vault"):
        return f"found {found}"
    if not shutil.which("go"):
        raise Unavailable("no Go here to build vault")
    folder, target = scratch("vault-build"), services_folder() / "bin" / "vault"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(Path(__file__).with_name("vault_go"), folder, dirs_exist_ok=True)
    command = ["go", "build", "-mod=mod", "-tags", "minimal", "-ldflags=-s -w", "-o", str(target),
               "github.com/hashicorp/vault"]  # fmt: skip
    try:
        run(command, cwd=folder, env={**os.environ, "CGO_ENABLED": "0"})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return f"built {target}"
