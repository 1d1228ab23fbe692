"""Records of an API that cannot be converted: set aside like any other row, corrected and replayed (ERR-04)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer, Command
from tests.connectors.rest.fake import FakeApi, serving
from tests.connectors.rest.toy import SPEC
from tests.services.s3 import S3
from tests.support import orders_contract, requirement

JOB = """\
tenant_id: acme
source_connector: toy
target_connector: iceberg
asset_path: ../contracts/orders.odcs.yaml
source:
  connection: {{base_url: "{url}", token: "${{SECRET:toy}}"}}
  objects: [orders]
  incremental: {{cursor_field: updated_at}}
target: {{write_mode: merge}}
"""
CONTRACT = orders_contract(
    "name: id, logicalType: integer, required: true, primaryKey: true",
    'name: amount, logicalType: number, physicalType: "decimal(18,4)"',
    "name: updated_at, logicalType: timestamp, physicalType: timestamptz",
)
AT = "2026-03-01T12:00:00Z"


@pytest.fixture
def api() -> Iterator[FakeApi]:
    found = FakeApi()
    amounts: list[Any] = [1.5, "2.25", "N/A", {"value": 4}, 5]
    found.rows = [{"id": number, "amount": each, "updated_at": AT} for number, each in enumerate(amounts, 1)]
    with serving(found):
        yield found


@pytest.fixture
def job(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tenant = tmp_path / "tenants" / "acme"
    for name in ("jobs", "contracts", "connectors"):
        (tenant / name).mkdir(parents=True)
    columns = {name: each for name, each in SPEC["streams"]["single"]["columns"].items() if name != "name"}
    streams = {"orders": SPEC["streams"]["single"] | {"columns": columns}}
    (tenant / "connectors" / "toy.yaml").write_text(json.dumps(SPEC | {"streams": streams}))
    (tenant / "contracts" / "orders.odcs.yaml").write_text(CONTRACT)
    (tenant / "jobs" / "orders.yaml").write_text(JOB.format(url=api.url))
    monkeypatch.setenv("DATIVO_SECRET__ACME__TOY", api.token)
    return tenant / "jobs" / "orders.yaml"


@pytest.fixture(params=["folder", "bucket"])
def lake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where tables and what is set aside are kept."""
    if request.param == "bucket":
        s3: S3 = request.getfixturevalue("s3")
        monkeypatch.setenv("DATIVO_WAREHOUSE", f"s3://{s3.bucket()}/lake")
        monkeypatch.setenv("DATIVO_CATALOG_PROPERTIES", json.dumps(s3.properties))


@requirement("ERR-04", "QUA-04", "QUA-05")
@pytest.mark.usefixtures("lake")
def test_a_record_that_cannot_be_converted_is_set_aside_and_replayed(dativo: Command, job: Path) -> None:
    def ask(action: str, *words: str) -> Answer:
        return dativo("quarantine", action, "--config", job, *words)

    done = dativo("run", "--config", job, "--json")
    assert done.code == 1, done.err
    [group] = ask("groups", "--json").json
    assert group["rows"] == 2
    shown = {row["original"]["id"]: row["original"]["amount"] for row in ask("show", "--json").json}
    assert set(shown) == {3, 4}
    assert shown[3] == "N/A", "as the API sent it"
    assert ask("fix", "--where", "id = 3", "--set", "amount = 3.75").code == 0
    assert ask("replay", "--status", "reviewed").code == 0
    rows = dativo("query", "--config", job, "select id, amount from orders order by id", "--json").json
    assert [(row["id"], row["amount"]) for row in rows] == [(1, "1.5000"), (2, "2.2500"), (3, "3.7500"), (5, "5.0000")]
    [run] = ask("list", "--json").json
    assert (run["quarantined"], run["replayed"]) == (1, 1)
