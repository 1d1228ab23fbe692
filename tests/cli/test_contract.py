"""`dativo contract`: contracts looked at, compared, and taken from and to other tools, as a person types it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from dativo_provider.cli.main import main
from dativo_provider.config.contracts import read_contract
from dativo_provider.model.checks import CheckSpec
from dativo_provider.quality.frontends.compile import compile_rules
from tests.support import requirement

ROOT = Path(__file__).parents[2]
ORDERS = """
apiVersion: v3.1.0
kind: DataContract
id: orders
name: orders
version: 1.2.0
status: active
schema:
  - name: orders
    logicalType: object
    properties:
      - {name: id, logicalType: integer, physicalType: long, primaryKey: true, required: true}
      - name: state
        logicalType: string
        quality:
          - {metric: invalidValues, arguments: {validValues: [new, paid]}, mustBe: 0}
      - name: email
        logicalType: string
        logicalTypeOptions: {minLength: 3}
        quality:
          - {metric: nullValues, mustBeLessThan: 5, unit: percent}
      - {name: amount, logicalType: number, physicalType: "decimal(9,2)"}
    quality:
      - {metric: rowCount, mustBeGreaterThan: 0}
      - {type: sql, query: "SELECT count(*) FROM {object} WHERE amount < 0", mustBe: 0, name: no refunds}
"""
SEEN = "      - {name: seen, logicalType: timestamp}\n"
PROMISES = """slaProperties:
  - {property: latency, value: 24, unit: h, element: orders.seen}
  - {property: availability, value: 99.5, unit: percent}
  - {property: retention, value: 3, unit: y}
  - {property: endOfSupport, value: '2036-04-01'}
"""


def written(folder: Path, text: str, name: str = "orders.odcs.yaml") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def checks(path: str | Path) -> list[CheckSpec]:
    source = read_contract(Path(path))
    table = source.tables[0]
    return [check for check in compile_rules((*table.rules, *source.rules), table.fields) if check.declared_in]


@requirement("SN-09", "DQ-01")
def test_a_contract_in_order_lints_clean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contract", "lint", written(tmp_path, ORDERS)]) == 0
    assert "no problems found" in capsys.readouterr().out


def test_where_a_contract_departs_from_the_standard_lint_warns_and_strict_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, ORDERS.replace("status: active", "status: active\nprice: {amount: 3}"))
    assert main(["contract", "lint", path]) == 0
    said = capsys.readouterr().out
    assert f"{path}:8:9: warning: not as ODCS 3.2 has it: 'amount' is no key of 'price'" in said
    assert main(["contract", "lint", "--strict", path]) == 2


@requirement("DQ-01", "DQ-04", "DQ-05", "DQ-07")
def test_a_contract_with_every_section_of_the_standard_lints_clean_and_is_enforced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "id,carrier,weight,email,address,events,handed_over_at\n" + "".join(
        f"{row},,,2026-10-02T10:00:00Z\n"
        for row in ("1,dhl,1.5,a@b.c", "2,ups,2.5,nope", "3,dpd,2.5,c@d.e", "4,ups,2000,c@d.e")
    )
    path = ROOT / "contracts" / "parcels.odcs.yaml"
    assert main(["contract", "lint", str(path), "--json"]) == 0
    [only] = json.loads(capsys.readouterr().out)["problems"]
    assert only["message"] == "kept, not enforced: frequency, timeOfAvailability, generalAvailability, endOfSupport"
    assert main(["contract", "test", str(path), written(tmp_path, rows, "parcels.csv"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    outcomes = {each["name"]: each["outcome"] for each in found["verdict"]["results"]}
    failed = {name for name, outcome in outcomes.items() if outcome == "failed"}
    assert failed == {"carrier enum", "weight range", "email can be written to"}
    passed = {"a parcel comes once", "no parcel from tomorrow", "not too heavy on average", "there are parcels",
              "carriers are written short", "weight is known", "sla_latency"}  # fmt: skip
    assert {name for name in passed if outcomes[name] != "passed"} == set()


@requirement("DQ-01", "CFG-10")
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("validValues: [new, paid]", "validValues: new", "must be a list of values"),
        ("mustBeLessThan: 5", "mustBeLesThan: 5", "did you mean 'mustBeLessThan'"),
        ("metric: rowCount", "metric: rowCuont", "did you mean 'rowCount'"),
        ("{validValues: [new, paid]}", "null, pattern: x", "indent"),
        ("{minLength: 3}", "{pattern: '(?=x)'}", "look"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, words: str
) -> None:
    text = ORDERS.replace(old, new)
    path = written(tmp_path, text)
    line = next(number for number, each in enumerate(text.splitlines(), start=1) if new in each)
    assert main(["contract", "lint", path]) == 2
    out = capsys.readouterr().out
    assert words.lower() in out.lower()
    assert f"orders.odcs.yaml:{line}:" in out


def test_a_wrong_check_hides_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = ORDERS.replace("[new, paid]", "new").replace("metric: rowCount, mustBeGreaterThan: 0", "metric: rowCount")
    assert main(["contract", "lint", written(tmp_path, text), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["errors"] == 2


@requirement("DQ-01")
@pytest.mark.parametrize(
    ("old", "new", "level", "words"),
    [
        ("      - {name: amount, logicalType: number, physicalType: \"decimal(9,2)\"}\n", "", "major", "is gone"),
        ("decimal(9,2)", "decimal(12,2)", "minor", "was decimal(9,2) and is decimal(12,2)"),
        ("decimal(9,2)", "decimal(5,2)", "major", "and is decimal(5,2)"),
        ("physicalType: long, primaryKey: true, required: true", "physicalType: long", "major", "may be NULL"),
        ("name: state", "name: state\n        required: true", "minor", "must not be NULL"),
        ("mustBeLessThan: 5", "mustBeLessThan: 6", "major", "more rows may fail"),
        ("mustBeLessThan: 5", "mustBeLessThan: 4", "minor", "changed"),
        ("[new, paid]", "[new, paid, sent]", "major", "allows more values"),
        ("[new, paid]", "[new]", "minor", "changed"),
        ("{validValues: [new, paid]}, mustBe: 0", "{validValues: [new, paid]}, mustBeLessThan: 9", "major", "may fail"),
        ("{minLength: 3}", "{minLength: 2}", "major", "bounds are wider"),
        ("{minLength: 3}", "{minLength: 3, maxLength: 9}", "minor", "changed"),
        ("mustBe: 0, name: no", "mustBe: 0, severity: warning, name: no", "major", "severity is warning"),
        ("      - {metric: rowCount, mustBeGreaterThan: 0}\n", "", "major", "'row_count' is gone"),
        ("name: email", "name: email\n        classification: PII", "major", "and is 'PII'"),
        ("primaryKey: true, required", "required", "major", "the key was id and is none"),
        ("value: 24, unit: h", "value: 1440, unit: minutes", "minor", "was 24 h and is 1440 minutes"),
        ("value: 24, unit: h", "value: 2, unit: d", "major", "the promise of latency was 24 h and is 2 d"),
        ("value: 99.5", "value: 99", "major", "the promise of availability"),
        ("value: 3, unit: y", "value: 5, unit: y", "minor", "the promise of retention"),
        ("  - {property: endOfSupport, value: '2036-04-01'}\n", "", "major", "endOfSupport is gone"),
        ("status: active", "status: deprecated", "patch", "the status is deprecated"),
    ],
)  # fmt: skip
def test_each_change_has_its_level(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, level: str, words: str
) -> None:
    text = ORDERS.replace("    quality:\n      - {metric: row", f"{SEEN}    quality:\n      - {{metric: row") + PROMISES
    assert old in text
    paths = [written(tmp_path, text, "old.odcs.yaml"), written(tmp_path, text.replace(old, new))]
    bumped = {"patch": "1.2.1", "minor": "1.3.0", "major": "2.0.0"}
    code = main(["contract", "diff", *paths, "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["needs"] == level
    assert any(words in change["what"] for change in told["changes"])
    assert code == (0 if level == "patch" else 2)
    Path(paths[1]).write_text(text.replace(old, new).replace("version: 1.2.0", f"version: {bumped[level]}"))
    assert main(["contract", "diff", *paths]) == 0
    assert "says enough" in capsys.readouterr().out


def test_a_folder_of_parquet_is_tested_and_the_exit_code_is_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pa.table({"id": [1, 2], "state": ["new", "paid"], "email": ["a@b", "c@d"], "amount": [1.0, 2.0]})
    path, folder = written(tmp_path, ORDERS), tmp_path / "rows"
    for number, part in enumerate((rows, rows)):
        (folder / f"day={number}").mkdir(parents=True)
        pq.write_table(part, folder / f"day={number}" / "part.parquet")
    assert main(["contract", "test", path, str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["books"]["extracted"] == 4
    pq.write_table(rows.slice(0, 0), tmp_path / "none.parquet")
    assert main(["contract", "test", path, str(tmp_path / "none.parquet")]) == 2


@requirement("DQ-02")
def test_availability_among_the_promises_is_watched_as_that_of_an_sla_block(tmp_path: Path) -> None:
    sla = read_contract(Path(written(tmp_path, ORDERS + PROMISES))).policy.sla
    assert sla is not None
    assert sla.availability is not None
    assert sla.availability.uptime_percentage == 99.5


@pytest.mark.parametrize(
    ("promise", "hours"),
    [("value: 500, unit: ms", 500 / 3_600_000), ("value: '2', unit: Days", 48), ("value: 1, unit: months", 730)],
)
def test_units_of_promises_are_read_as_they_are_meant(tmp_path: Path, promise: str, hours: float) -> None:
    text = f"{ORDERS}slaProperties: [{{property: latency, {promise}}}]\n"
    [rule] = [
        rule for rule in read_contract(Path(written(tmp_path, text))).tables[0].rules if rule.language == "inline"
    ]
    assert rule.body["max_age_hours"] == pytest.approx(hours)


def test_two_versions_that_say_the_same_need_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, ORDERS)
    assert main(["contract", "diff", path, path]) == 0
    assert "nothing changed" in capsys.readouterr().out


def imported(folder: Path, form: str, path: str) -> str:
    target = str(folder / "made.odcs.yaml")
    assert main(["contract", "import", path, "--format", form, "--output", target]) == 0
    assert main(["contract", "lint", target]) == 0
    return target


@requirement("DQ-08", "DQ-10")
@pytest.mark.parametrize("form", ["soda", "great_expectations", "checks"])
def test_checks_that_go_to_another_tool_and_come_back_mean_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    path, out = written(tmp_path, ORDERS), tmp_path / "out.yaml"
    assert main(["contract", "export", path, "--format", form, "--output", str(out)]) == 0
    left = capsys.readouterr().err.count("not exported")
    if form == "checks":
        found = list(compile_rules(read_contract(out).rules, read_contract(Path(path)).tables[0].fields))
    else:
        found = checks(imported(tmp_path, form, str(out)))

    def meaning(each: list[Any]) -> set[Any]:
        return {(c.kind, c.columns, json.dumps(c.params, sort_keys=True)) for c in each}

    own = {check for check in meaning(checks(path)) if check[0] != "required" or "allowed" in check[2]}
    lost = own - meaning(found)
    assert len(lost) <= left
    assert left == (2 if form == "great_expectations" else 0)


@requirement("DQ-08")
def test_sodacl_is_imported_as_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, "checks for orders:\n  - row_count > 0\n  - missing_count(id) = 0\n", "cl.yml")
    target = imported(tmp_path, "soda", path)
    assert read_contract(Path(target)).tables[0].name == "orders"


def test_ddl_and_files_become_contracts(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    create = "CREATE TABLE orders (id BIGINT PRIMARY KEY, amount DECIMAL(9,2) NOT NULL, seen TIMESTAMPTZ);"
    ddl = written(tmp_path, create, "orders.sql")
    table = read_contract(Path(imported(tmp_path, "sql", ddl))).tables[0]
    assert [(f.name, f.type, f.required) for f in table.fields] == [
        ("id", "long", True), ("amount", "decimal(9,2)", True), ("seen", "timestamptz", False),
    ]  # fmt: skip
    assert table.primary_key == ("id",)
    (tmp_path / "made.odcs.yaml").unlink()
    pq.write_table(pa.table({"id": [1], "name": ["a"]}), tmp_path / "people.parquet")
    table = read_contract(Path(imported(tmp_path, "parquet", str(tmp_path / "people.parquet")))).tables[0]
    assert [(f.name, f.type) for f in table.fields] == [("id", "long"), ("name", "string")]
    (tmp_path / "made.odcs.yaml").unlink()
    table = read_contract(Path(imported(tmp_path, "csv", written(tmp_path, "id,name\n1,a\n", "p.csv")))).tables[0]
    assert [field.type for field in table.fields] == ["long", "string"]


def test_columns_are_exported_as_json_schema_and_sql(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, ORDERS)
    assert main(["contract", "export", path, "--format", "json-schema"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert (made["required"], made["properties"]["state"]["type"]) == (["id"], ["string", "null"])
    assert main(["contract", "export", path, "--format", "sql", "--output", str(tmp_path / "o.sql")]) == 0
    table = read_contract(Path(imported(tmp_path, "sql", str(tmp_path / "o.sql")))).tables[0]
    assert [field.type for field in table.fields] == ["long", "string", "string", "decimal(9,2)"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "X"], "import needs --format"),
        (["export", "X", "--format", "parquet"], "export needs --format"),
        (["diff", "X"], "diff compares two files"),
        (["import", "X", "--format", "soda"], "no file of Soda checks"),
        (["import", "X", "--format", "sql"], "no CREATE TABLE"),
        (["export", "X", "--format", "sql", "--table", "nothing"], "no table 'nothing'"),
        (["export", "X", "--format", "sql", "--output", "X"], "is there already"),
    ],
)
def test_what_cannot_be_done_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    path = written(tmp_path, ORDERS)
    before = yaml.safe_load(ORDERS)
    assert main(["contract", *(path if word == "X" else word for word in words)]) == 2
    assert said in capsys.readouterr().err
    assert yaml.safe_load(Path(path).read_text()) == before


@requirement("DQ-01")
def test_the_columns_of_a_contract_are_a_schema_of_avro_that_holds_their_rows(tmp_path: Path) -> None:
    import fastavro

    text = ORDERS.replace(
        "      - {name: amount,",
        "      - name: orders\n        logicalType: object\n"
        "        properties: [{name: a, logicalType: array, items: {logicalType: date}}]\n"
        "      - {name: counts, logicalType: map, map: {key: {logicalType: integer}, value: {logicalType: string}}}\n"
        "      - {name: seen, logicalType: timestamp}\n      - {name: amount,",
    )
    out, file = tmp_path / "orders.avsc", tmp_path / "orders.avro"
    assert main(["contract", "export", written(tmp_path, text), "--format", "avro", "--output", str(out)]) == 0
    full = {
        "id": 1, "state": "new", "email": None, "orders": {"a": [date(2026, 11, 22)]}, "amount": Decimal("1.50"),
        "counts": [{"key": 1, "value": "x"}], "seen": datetime(2026, 11, 22, tzinfo=UTC),
    }  # fmt: skip
    empty = {**dict.fromkeys(full), "id": 2}
    with file.open("wb") as target:
        fastavro.writer(target, fastavro.parse_schema(json.loads(out.read_text())), [full, empty])
    with file.open("rb") as found:
        assert list(fastavro.reader(found)) == [full, empty]
    with pytest.raises(TypeError), file.open("wb") as target:
        fastavro.writer(target, fastavro.parse_schema(json.loads(out.read_text())), [{**full, "id": None}])


ASSET = """
name: orders
version: "3.1"
domain: sales
team: {owner: sales@example.com}
tags: [core]
compliance: {classification: [internal], retention_days: 90, regulations: [GDPR]}
finops: {cost_center: "4711"}
schema:
  - {name: id, type: bigint, required: true, unique: true}
  - {name: state, type: string, enum: [new, paid]}
  - {name: amount, type: double, logicalTypeOptions: {minimum: 0}}
  - {name: seen, type: timestamp}
data_quality:
  expectations: [{type: range, column: amount, max: 100, severity: warning}]
data_contract:
  quality_checks:
    soda: {checks: ["row_count > 0"]}
    great_expectations: {checks: [{name: expect_column_values_to_not_be_null, column: state}]}
    custom: [{name: own, function: checks.own}]
slaProperties:
  - {property: latency, value: 1, unit: d, element: orders.seen}
  - {property: endOfSupport, value: "2036-04-01"}
support: [{channel: "#sales", tool: slack}]
roles: [{role: reader, access: read}]
"""


@requirement("DQ-01", "DQ-08", "DQ-10")
def test_an_asset_becomes_a_contract_of_the_standard_with_all_its_checks_and_facts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(path: str) -> set[tuple[Any, ...]]:
        return {(check.kind, check.columns, str(dict(check.params)), check.severity) for check in checks(path)}

    path = written(tmp_path, ASSET, "orders.yaml")
    made = imported(tmp_path, "asset", path)
    assert "not as ODCS" not in capsys.readouterr().out
    assert told(made) == told(path)
    source, document = read_contract(Path(made)), yaml.safe_load(Path(made).read_text())
    before = read_contract(Path(path))
    assert source.properties.items() >= before.properties.items()
    assert (source.version, source.owner, source.domain) == ("3.1", "sales@example.com", "sales")
    assert source.promises == before.promises
    assert document["support"] == [{"channel": "#sales", "tool": "slack"}]
    assert document["roles"] == [{"role": "reader", "access": "read"}]
