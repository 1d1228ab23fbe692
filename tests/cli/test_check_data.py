"""Rows that exist already: their profile, and a contract held against them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import Command, World
from tests.support import requirement

CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: 5f1c7a52-9d25-4a7e-9a3b-0f4a2f7f4c11
name: bills
version: 2.0.0
status: active
schema:
  - name: bills
    logicalType: object
    properties:
      - name: id
        logicalType: integer
        physicalType: long
        required: true
        quality: [{type: library, rule: duplicateCount, mustBe: 0}]
      - {name: cost, logicalType: number, physicalType: double, logicalTypeOptions: {minimum: 0}}
      - {name: payer, logicalType: string, classification: pii}
    quality:
      - {type: library, rule: rowCount, mustBeGreaterThan: 1, severity: error}
"""


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "bills.odcs.yaml"
    path.write_text(CONTRACT)
    return path


def bills(path: Path, **changed: list[Any]) -> Path:
    rows = {"id": [1, 2, 3, 4], "cost": [1.0, 2.5, 3.0, None], "payer": ["a@x.org", "b@x.org", None, None], **changed}
    if path.suffix == ".csv":
        lines = zip(*rows.values(), strict=True)
        body = "\n".join(",".join("" if cell is None else str(cell) for cell in line) for line in lines)
        path.write_text(f"{','.join(rows)}\n{body}\n")
    else:
        pq.write_table(pa.table(rows), path)
    return path


@requirement("DQ-01", "DQ-11")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_that_keeps_the_contract_passes_every_check(dativo: Command, contract: Path, form: str) -> None:
    file = bills(contract.with_name(f"bills.{form}"))
    found = dativo("check-data", contract, file, "--json")
    assert found.code == 0, found.err
    assert found.json["verdict"]["decision"] == "pass"
    outcomes = {result["outcome"] for result in found.json["verdict"]["results"]}
    assert outcomes == {"passed"}
    assert found.json["books"]["accepted"] == 4
    assert found.json["contract"] == "bills 2.0.0"


@requirement("DQ-11")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_rows_that_break_a_rule_are_counted_and_said_by_the_exit_code(
    dativo: Command, contract: Path, form: str
) -> None:
    file = bills(contract.with_name(f"bills.{form}"), cost=[1.0, -2.0, 3.0, -4.0])
    found = dativo("check-data", contract, file, "--junit", contract.with_name("junit.xml"))
    assert found.code == 1
    assert "2 would be set aside\nverdict: quarantine" in found.out
    suite = ElementTree.parse(contract.with_name("junit.xml")).getroot()
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("1", "0")
    failed = [case.attrib["name"] for case in suite if case.find("failure") is not None]
    assert len(failed) == 1
    assert "cost" in failed[0]


@requirement("DQ-11")
def test_what_would_block_a_run_is_exit_code_two(dativo: Command, contract: Path) -> None:
    repeated = bills(contract.with_name("bills.parquet"), id=[1, 1, 2, 3])
    assert dativo("check-data", contract, repeated).code == 2
    missing = contract.with_name("other.parquet")
    pq.write_table(pa.table({"cost": [1.0]}), missing)
    refused = dativo("check-data", contract, missing)
    assert refused.code == 2
    assert "has no column id, which the contract requires" in refused.err


def test_values_a_csv_file_cannot_be_typed_by_are_set_aside_as_in_a_run(dativo: Command, contract: Path) -> None:
    file = bills(contract.with_name("bills.csv"), id=[1, 2, 3, "four"])
    found = dativo("check-data", contract, file, "--json")
    assert found.code == 1
    assert found.json["books"]["quarantined"] == 1


@requirement("DQ-11")
def test_a_job_is_checked_on_its_published_table(world: World) -> None:
    assert "neither a file nor a table" in world.dativo("check-data", world.job).err
    world.run()
    found = world.dativo("check-data", world.job, "--json")
    assert found.code == 0, found.err
    assert found.json["books"]["extracted"] == 4
    raw = world.dativo("check-data", world.job, world.data / "orders.csv", "--json")
    assert raw.code == 1
    assert raw.json["books"]["quarantined"] == 2
    assert len(world.dativo("runs", "--json").json) == 1


@requirement("DQ-12")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_file_has_a_profile(dativo: Command, tmp_path: Path, form: str) -> None:
    found = dativo("profile", bills(tmp_path / f"bills.{form}"), "--json")
    assert found.code == 0, found.err
    cost = next(column for column in found.json["columns"] if column["name"] == "cost")
    assert (found.json["rows"], cost["nulls"], cost["max"]) == (4, 1, 3.0)
    assert "~4" in dativo("profile", tmp_path / f"bills.{form}").out


@requirement("DQ-12")
def test_a_published_table_has_a_profile_without_personal_values(world: World) -> None:
    world.run()
    found = world.dativo("profile", world.job)
    assert found.code == 0, found.err
    assert "personal: not shown" in found.out
    assert "@" not in found.out
    by_name = world.dativo("profile", "example.orders", "--json")
    assert by_name.json["rows"] == 4
    assert "@" not in by_name.out


def test_what_is_not_there_or_no_table_is_told(dativo: Command, contract: Path) -> None:
    assert "there is no file nothing.parquet" in dativo("profile", "nothing.parquet").err
    assert "neither a file nor a table" in dativo("profile", "shop.orders").err
    assert "a contract alone has no rows" in dativo("check-data", contract).err
    contract.with_name("broken.parquet").write_text("PAR1, but no")
    assert "this is no Parquet file" in dativo("profile", contract.with_name("broken.parquet")).err
