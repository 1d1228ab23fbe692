"""Settings of a deployment on each catalog, empty for every test."""

from __future__ import annotations

import json
import secrets
import urllib.request
from pathlib import Path

from dativo_provider.model.settings import Settings
from tests.lake.support import settings
from tests.services.glue import Glue
from tests.services.nessie import Nessie
from tests.services.rest import Rest
from tests.services.s3 import S3


def on_rest(home: Path, rest: Rest, s3: S3) -> Settings:
    """The server is the session's: what an earlier test left is dropped."""
    _forget(rest.uri)
    properties = {**s3.properties, "type": "rest", "uri": rest.uri}
    return settings(home, warehouse=rest.warehouse, properties=properties, embedded=False)


def on_nessie(home: Path, nessie: Nessie, s3: S3, branch: str = "") -> Settings:
    """A branch of this test's own, unless one is given; made from an empty main."""
    chosen = branch or f"test-{secrets.token_hex(4)}"
    properties = {**s3.properties, "type": "nessie", "uri": nessie.uri, "branch": chosen}
    return settings(home, warehouse=nessie.warehouse, properties=properties, embedded=False)


def on_glue(home: Path, glue: Glue, s3: S3, bucket: str) -> Settings:
    glue.reset()
    properties = {**s3.properties, **glue.properties}
    return settings(home, warehouse=f"s3://{bucket}/lake", properties=properties, embedded=False)


def _forget(uri: str) -> None:
    for (namespace,) in _call(uri, "namespaces")["namespaces"]:
        for table in _call(uri, f"namespaces/{namespace}/tables")["identifiers"]:
            _call(uri, f"namespaces/{namespace}/tables/{table['name']}?purgeRequested=false", "DELETE")
        _call(uri, f"namespaces/{namespace}", "DELETE")


def _call(uri: str, path: str, method: str = "GET") -> dict[str, list[str]]:
    request = urllib.request.Request(f"{uri}/v1/{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text else {}
