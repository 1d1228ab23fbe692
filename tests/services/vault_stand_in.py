"""What of Vault our tests need, where building the real one would take longer than all tests: no package has it.

https://developer.hashicorp.com/vault/api-docs/secret/kv (both versions), .../auth/approle, .../auth/token. It keeps to
rights of one kind: a role's policy names the mount it may use; other tokens than the root's may not mount or grant.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving

__all__ = ["stand_in"]

_DENIED = Answer(403, {"errors": ["permission denied"]})
_NOTHING = Answer(404, {"errors": []})
_OUTDATED = Answer(400, {"errors": ["check-and-set parameter did not match the current version"]})


class _Vault(FakeApi):
    def __init__(self, root: str) -> None:
        super().__init__()
        self.tokens: dict[str, str] = {root: ""}  # and the mounts that each may use; of the root every one
        self.mounts: dict[str, str] = {}
        self.kept: dict[str, Any] = {}
        self.versions: dict[str, int] = {}
        self.policies: dict[str, str] = {}
        self.roles: dict[str, tuple[str, str, str]] = {}  # role id → its secret id and policy

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            path, body = asked.path.removeprefix("/v1/"), asked.body or {}
            if path == "sys/health":
                return Answer(body={"initialized": True, "sealed": False, "version": "stand-in"})
            if path == "auth/approle/login":
                return self._login(body)
            token = asked.headers.get("x-vault-token", "")
            if token not in self.tokens:
                return _DENIED
            mount, _, rest = path.partition("/")
            if mount in self.mounts:
                return self._kept(asked, mount, rest) if self.tokens[token] in ("", mount) else _DENIED
            return _DENIED if self.tokens[token] else self._managed(asked.method, path, body)

    def _kept(self, asked: Asked, mount: str, rest: str) -> Answer:
        second = self.mounts[mount] == "2"
        if second and not rest.startswith("data/"):
            return _NOTHING
        place = f"{mount}/{rest}"
        version = self.versions.get(place, 0)
        if asked.method in ("POST", "PUT"):
            if second and asked.body.get("options", {}).get("cas", version) != version:
                return _OUTDATED
            self.kept[place], self.versions[place] = asked.body["data"] if second else asked.body, version + 1
            return Answer(body={"data": {"version": version + 1}}) if second else Answer(204)
        found = self.kept.get(place)
        if found is None:
            return _NOTHING
        return Answer(body={"data": {"data": found, "metadata": {"version": version}} if second else found})

    def _managed(self, method: str, path: str, body: Any) -> Answer:
        words = path.split("/")
        if words[:2] == ["sys", "mounts"]:
            self.mounts[words[2]] = str(body["options"]["version"])
        elif words[:3] == ["sys", "policies", "acl"]:
            self.policies[words[3]] = re.findall(r'path "([^"/]+)/', body["policy"])[0]
        elif path == "sys/auth" and method == "GET":
            return Answer(body={"data": {"token/": {"type": "token"}}})
        elif path == "auth/token/revoke":
            self.tokens.pop(body["token"], None)
        elif words[:3] == ["auth", "approle", "role"]:
            return self._role(words[3], words[4:], body)
        return Answer(204)

    def _role(self, name: str, rest: list[str], body: Any) -> Answer:
        if not rest:
            self.roles[f"id-of-{name}"] = (secrets.token_hex(8), body["token_policies"][0], name)
            return Answer(204)
        kept, *_ = self.roles[f"id-of-{name}"]
        said = {"role_id": f"id-of-{name}"} if rest == ["role-id"] else {"secret_id": kept}
        return Answer(body={"data": said})

    def _login(self, body: Any) -> Answer:
        secret, policy, _ = self.roles.get(str(body.get("role_id")), ("", "", ""))
        if not secret or body.get("secret_id") != secret:
            return Answer(400, {"errors": ["invalid role or secret ID"]})
        token = f"hvs.{secrets.token_hex(12)}"
        self.tokens[token] = self.policies[policy]
        return Answer(body={"auth": {"client_token": token, "lease_duration": 3600}})


@contextmanager
def stand_in(root: str) -> Iterator[str]:
    """Its address; `root` is the token that may do everything."""
    vault = _Vault(root)
    with serving(vault):
        yield vault.url
