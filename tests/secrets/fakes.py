"""Fakes of Google Secret Manager and Azure Key Vault: no real double of either can be had.

They keep to the vendors' pages: https://cloud.google.com/secret-manager/docs/reference/rest (names, versions, base64,
404 for what is not there, 403 without a token) and https://learn.microsoft.com/en-us/rest/api/keyvault/secrets
(names of letters, digits and `-`, `api-version` needed, 401 without a token). They know no rights and no regions.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Any

from tests.connectors.rest.fake import Answer, Asked, FakeApi

__all__ = ["FakeAzure", "FakeGcp"]


class FakeGcp(FakeApi):
    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[str, list[str]] = {}

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(403, {"error": {"code": 403, "message": "Permission denied", "status": "PERMISSION_DENIED"}})
        match = re.fullmatch(r"/v1/projects/acme-lake/secrets/([\w-]+)(/versions/(\w+):access|:addVersion)", asked.path)
        if match is None or match[1] not in self.versions:
            return Answer(404, {"error": {"code": 404, "message": "not found", "status": "NOT_FOUND"}})
        kept = self.versions[match[1]]
        if asked.method == "POST":
            kept.append(b64decode(asked.body["payload"]["data"]).decode())
            return Answer(body={"name": f"{asked.path}/{len(kept)}"})
        number = len(kept) if match[3] == "latest" else int(match[3])
        return Answer(body={"payload": {"data": b64encode(kept[number - 1].encode()).decode()}})


class FakeAzure(FakeApi):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401, {"error": {"code": "Unauthorized", "message": "AKV10000: Request is missing a token"}})
        match = re.fullmatch(r"/secrets/([0-9a-zA-Z-]{1,127})", asked.path)
        if match is None or "api-version" not in asked.query:
            return Answer(400, {"error": {"code": "BadParameter", "message": "wrong name or no api-version"}})
        if asked.method == "PUT":
            self.values[match[1].lower()] = asked.body["value"]
        found: Any = self.values.get(match[1].lower())
        if found is None:
            return Answer(404, {"error": {"code": "SecretNotFound", "message": "not found"}})
        return Answer(body={"value": found, "id": f"{self.url}{asked.path}/1"})
