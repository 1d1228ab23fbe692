"""A whole run of an API in Airflow, and no byte of its credentials anywhere that the run wrote to."""

from __future__ import annotations

import json
import os
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from dativo_provider.operators.publish import PublishOperator
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.toy import SPEC
from tests.dag_factory.folders import make_tenant
from tests.dag_factory.test_run import root, run, states, xcoms  # noqa: F401 - a fixture
from tests.support import orders_contract, requirement

PASSWORD = "p@ss/w0rd+&ünï 100%=\"'<>"
REFRESH, SECRET, FIRST, SECOND = "rfr-8d1c22aa", "cl1ent-s3cr3t-77", "acc-ess-token-1-ab", "acc-ess-token-2-cd"
PLANTED = (PASSWORD, REFRESH, SECRET, FIRST, SECOND)
JOB = """\
tenant_id: acme
source_connector: toy
target_connector: iceberg
asset_path: ../contracts/orders.odcs.yaml
source:
  connection:
    base_url: {url}
    client_id: me
    client_secret: ${{SECRET:toy.client_secret}}
    refresh_token: ${{SECRET:toy.refresh_token}}
    gate: ${{SECRET:gate}}
  objects: [orders]
retry_config: {{max_retries: 0}}
"""
CONTRACT = orders_contract(
    "name: id, logicalType: integer, required: true",
    "name: name, logicalType: string",
)


def spec(url: str) -> dict[str, Any]:
    made = dict(SPEC) | {
        "base_url": url,
        "settings": {"gate": {"secret": True}},
        "headers": {"X-Gate": "{gate:base64}"},
        "auth": {"type": "oauth2_refresh", "token_url": "{base_url}/token"},
    }
    made["streams"] = {
        "orders": SPEC["streams"]["single"] | {"request": {"path": "/single", "params": {"g": "{gate}"}}}
    }
    del made["streams"]["orders"]["incremental"]
    return made


class Gossip(FakeApi):
    """Forgets its token once, and says everything it knows about who asks in headers and errors."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = [{"id": n, "name": f"n{n}", "updated_at": "2026-01-01T00:00:00Z"} for n in range(5)]
        self.given, self.broken = 0, False

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/token":
            self.given += 1
            self.token = (FIRST, SECOND)[min(self.given, 2) - 1]
            return Answer(body={"access_token": self.token, "expires_in": 3600})
        if asked.path == "/single" and self.given == 1:
            self.token = SECOND
        if self.broken:
            self.asked.append(asked)
            said = f"{asked.headers.get('authorization')} {PASSWORD} {quote(PASSWORD)} {REFRESH} {basic('me', SECRET)}"
            return Answer(400, {"message": said}, {"Sunset": "Sat, 31 Oct 2026 23:59:59 GMT", "Server": said[:40]})
        found = super().answer(asked)
        return Answer(found.status, found.body, {"Sunset": "Sat, 31 Oct 2026 23:59:59 GMT"})


def basic(name: str, password: str) -> str:
    return b64encode(f"{name}:{password}".encode()).decode()


def shapes(secret: str) -> set[bytes]:
    """Every form in which it could stand somewhere."""
    data = secret.encode()
    found = {
        secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1],
        b64encode(data).decode(), basic("me", secret), basic("me", secret)[8:-4],
    }  # fmt: skip
    return {each.encode() for each in found}


@pytest.fixture
def api() -> Iterator[Gossip]:
    found = Gossip()
    with serving(found):
        yield found


def leaks(where: dict[str, bytes]) -> list[str]:
    return [f"{name}: {form!r}" for name, content in where.items() for secret in PLANTED for form in shapes(secret)
            if form in content]  # fmt: skip


def files(*folders: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def airflow_rows() -> dict[str, bytes]:
    """Every table of Airflow's metadata: XCom, rendered fields, serialized DAGs, logs of events."""
    path = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return {name: repr(database.execute(f'select * from "{name}"').fetchall()).encode() for name in names}


@requirement("SEC-05", "ERR-01")
@pytest.mark.parametrize("broken", [False, True], ids=["published", "failed"])
def test_no_byte_of_a_secret_is_left_anywhere_by_a_run(root, api, tmp_path, monkeypatch, capfd, caplog, broken):  # noqa: F811
    tenant = make_tenant(root)
    (tenant / "connectors").mkdir()
    (tenant / "connectors" / "toy.yaml").write_text(json.dumps(spec(api.url)))
    (tenant / "contracts" / "orders.odcs.yaml").write_text(CONTRACT)
    (tenant / "jobs" / "orders.yaml").write_text(JOB.format(url=api.url))
    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__ACME__TOY", json.dumps({"client_secret": SECRET, "refresh_token": REFRESH}))
    monkeypatch.setenv("AIRFLOW_VAR_DATIVO__ACME__GATE", PASSWORD)
    lineage: list[str] = []
    real = PublishOperator.step

    def step(self: PublishOperator, *context: Any) -> Any:
        found = real(self, *context)
        lineage.append(repr(self.get_openlineage_facets_on_complete(None)))
        return found

    monkeypatch.setattr(PublishOperator, "step", step)
    api.broken = broken

    done = run(root)

    assert states(done)["publish"] == ("upstream_failed" if broken else "success"), states(done)
    assert any(asked.path == "/single" and asked.query.get("g") == PASSWORD for asked in api.asked)
    told = capfd.readouterr()
    output = {"stdout": told.out.encode(), "stderr": told.err.encode(), "logs": caplog.text.encode()}
    assert b"orders" in b"".join(output.values())
    logs = Path(os.environ["AIRFLOW_HOME"]) / "logs"
    everything = output | files(tmp_path / "home", *([logs] if logs.exists() else [])) | airflow_rows()
    everything |= {"xcom": repr(xcoms(done)).encode(), "lineage": "".join(lineage).encode()}
    assert leaks(everything) == []
    assert b"plan.json" in everything["xcom"]
    assert broken or b"orders" in everything["lineage"]
    if not broken:
        assert any("31 Oct 2026" in note for note in recorded(tmp_path / "home"))


def recorded(home: Path) -> tuple[str, ...]:
    """The notes of the run as the store keeps them."""
    from dativo_provider.store.sql import SqlStore

    with SqlStore(f"sqlite:///{home / 'store.db'}") as store:
        return store.runs()[0].window.notes
