"""REST catalogs: log-in, what their refusals mean, and whose keys go where."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from dativo_provider.errors import ConfigurationError, CredentialError, StorageUnavailable
from dativo_provider.lake.catalog import catalog_properties, open_catalog
from dativo_provider.lake.catalogs.registry import leaf, leaves
from dativo_provider.lake.iceberg import IcebergTarget
from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import Settings
from tests.lake.support import job, settings
from tests.services.rest import Rest
from tests.services.s3 import S3
from tests.support import requirement

SECRET = "s3cr3t-of-the-client"


class Gate:
    """A REST catalog that wants a token, and says what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.status, self.answer, self.forms = 200, "", list[dict[str, list[str]]]()
        gate = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gate.seen.append((self.path, self.headers.get("Authorization", "")))
                known = self.headers.get("Authorization") == "Bearer good"
                answer = gate.answer or json.dumps({"defaults": {}, "overrides": {}, "namespaces": []})
                self._say(gate.status if known else 401, answer if known else "")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                gate.forms.append(parse_qs(body))
                if SECRET in body:
                    self._say(200, json.dumps({"access_token": "good", "token_type": "bearer", "expires_in": 3600}))
                else:
                    self._say(401, json.dumps({"error": "invalid_client", "error_description": "unknown client"}))

            def _say(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.uri = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.server.shutdown()
    made.server.server_close()


def at(home: Path, gate: Gate, **words: str) -> Settings:
    return settings(home, properties={"type": "rest", "uri": gate.uri, **words}, embedded=False)


@requirement("CON-35")
def test_a_token_opens_it(tmp_path: Path, gate: Gate) -> None:
    assert open_catalog(at(tmp_path, gate, token="good", warehouse="lake")).list_namespaces() == []
    assert gate.seen[0] == ("/v1/config?warehouse=lake", "Bearer good")


@requirement("CON-35")
def test_client_credentials_open_it_and_are_never_logged(
    tmp_path: Path, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    words = {"credential": f"loader:{SECRET}", "scope": "lake", "oauth2-server-uri": f"{gate.uri}/token"}
    assert open_catalog(at(tmp_path, gate, **words)).list_namespaces() == []
    assert gate.forms[0]["grant_type"] == ["client_credentials"]
    assert (gate.forms[0]["client_id"], gate.forms[0]["scope"]) == (["loader"], ["lake"])
    assert SECRET not in caplog.text


def test_references_in_a_jobs_own_catalog_are_resolved(tmp_path: Path, gate: Gate) -> None:
    made = replace(
        job(catalog={"type": "rest", "uri": gate.uri, "token": "${ACME_TOKEN}"}), allowed_variables=("ACME_*",)
    )
    target = IcebergTarget(made, RunContext(settings(tmp_path), variables={"ACME_TOKEN": "good"}))
    assert target.catalog.list_namespaces() == []


@pytest.mark.parametrize(
    ("words", "said"), [({"token": "stale"}, "401"), ({"credential": "loader:wrong"}, "invalid_client"), ({}, "401")]
)
def test_a_refused_log_in_is_no_reason_to_retry(tmp_path: Path, gate: Gate, words: dict[str, str], said: str) -> None:
    with pytest.raises(CredentialError) as caught:
        open_catalog(at(tmp_path, gate, **words))
    assert "wrong" not in str(caught.value)
    assert "stale" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (503, "", StorageUnavailable),
        (500, "<html>", StorageUnavailable),
        (429, "", StorageUnavailable),
        (403, "", CredentialError),
        (404, "", ConfigurationError),
        (400, "", ConfigurationError),
        (200, "<html>a proxy's page</html>", ConfigurationError),
    ],
)
def test_every_refusal_says_what_to_do(tmp_path: Path, gate: Gate, status: int, answer: str, kind: type) -> None:
    gate.status, gate.answer = status, answer
    with pytest.raises(kind) as caught:
        open_catalog(at(tmp_path, gate, token="good"))
    assert type(caught.value) is kind
    assert caught.value.remedy


def test_an_address_that_is_none_is_a_setting_to_correct(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="catalog URL"):
        open_catalog(settings(tmp_path, properties={"type": "rest", "uri": "lake.example.org"}))
    with pytest.raises(ConfigurationError, match="needs its address"):
        open_catalog(settings(tmp_path, properties={"type": "rest"}))


# -- a tenant wrote the job ---------------------------------------------------------------------------

OURS = {"type": "rest", "uri": "https://ours", "token": "t0ken", "s3.access-key-id": "k3y", "s3.region": "eu"}


@requirement("CON-35")
@pytest.mark.parametrize(
    "own",
    [
        {"type": "rest", "uri": "https://theirs"},
        {"type": "nessie", "uri": "https://theirs"},
        {"type": "sql", "uri": "postgresql://theirs/db"},
    ],
)
def test_the_deployments_keys_are_never_sent_to_a_jobs_own_catalog(tmp_path: Path, own: dict[str, str]) -> None:
    _, found = catalog_properties(settings(tmp_path, properties=OURS), job(catalog=own))
    assert "t0ken" not in str(found)
    assert ("k3y" in str(found)) == (own["type"] == "sql")  # a database cannot say where the files are


@pytest.mark.parametrize(
    "own",
    [{"type": "rest", "warehouse": "others"}, {"type": "rest", "prefix": "x"}, {"type": "glue"}, {"type": "nessie"}],
)
def test_a_catalog_of_ones_own_comes_with_its_own_address(tmp_path: Path, own: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="of its own without"):
        catalog_properties(settings(tmp_path, properties=OURS), job(catalog=own))


def test_the_type_may_be_repeated(tmp_path: Path) -> None:
    _, found = catalog_properties(settings(tmp_path, properties=OURS), job(catalog={"type": "rest"}))
    assert found["token"] == "t0ken"


@pytest.mark.parametrize(
    "catalog",
    [
        {"type": "rest", "uri": "https://x", "rest.sigv4-enabled": "true"},
        {"type": "rest", "uri": "https://x", "header.X-Iceberg-Access-Delegation": "x"},
        {"type": "glue", "glue.profile-name": "admin"},
        {"type": "glue", "glue.endpoint": "https://x"},
        {"type": "sql", "init_catalog_tables": "false"},
        {"warehouse.x": "y"},
    ],
)
def test_a_job_may_say_only_what_is_harmless(tmp_path: Path, catalog: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="may not set"):
        catalog_properties(settings(tmp_path), job(catalog=catalog))


@pytest.mark.parametrize(
    "connection",
    [
        {"gcs": {"endpoint": "https://theirs"}},
        {"azure": {"account_name": "theirs"}},
        {"minio": {"endpoint": "theirs:9000"}},
    ],
)
def test_an_object_store_of_ones_own_comes_with_its_own_key(tmp_path: Path, connection: dict[str, Any]) -> None:
    where = settings(tmp_path, properties={"adls.account-key": "k", "gcs.oauth2.token": "t", "s3.access-key-id": "k"})
    with pytest.raises(ConfigurationError, match="no key for it"):
        catalog_properties(where, job(connection=connection))


@pytest.mark.parametrize(("secure", "scheme"), [(False, "http"), (True, "https"), (None, "https")])
def test_minio_is_named_as_its_own_clients_do(tmp_path: Path, secure: bool | None, scheme: str) -> None:
    block = {"endpoint": "minio:9000", "access_key": "k", "secret_key": "s", "secure": secure, "bucket": "x"}
    _, found = catalog_properties(settings(tmp_path), job(connection={"minio": block}))
    assert found["s3.endpoint"] == f"{scheme}://minio:9000"
    assert found["s3.secret-access-key"] == "s"


# -- leaves -------------------------------------------------------------------------------------------


def test_every_kind_of_catalog_has_a_leaf_of_its_name() -> None:
    from dativo_provider.config.catalogs import CATALOGS

    assert [each.type for each in leaves()] == list(CATALOGS)
    assert all(leaf(kind).kind is CATALOGS[kind] for kind in CATALOGS)


@requirement("CON-35")
def test_a_server_of_another_store_than_the_warehouse_is_told(tmp_path: Path, rest: Rest, s3: S3) -> None:
    where = settings(tmp_path, properties={**s3.properties, "type": "rest", "uri": rest.uri})
    target = IcebergTarget(job(name="elsewhere", table="elsewhere"), RunContext(where))
    with pytest.raises(ConfigurationError, match="the catalog keeps its tables in s3://"):
        target.prepare(job(table="elsewhere"), job(table="elsewhere").streams[0], ())
