from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from dativo_provider.config.contract import ContractSource
from dativo_provider.config.contracts import contract_of, read_contract
from dativo_provider.config.yamlpos import parse
from dativo_provider.model.checks import Rule
from dativo_provider.model.job import PartitionSpec
from tests.config.support import Deployment, only, place, refused
from tests.support import requirement

HEAD = """\
apiVersion: v3.1.0
kind: DataContract
id: one
name: shop
version: 1.0.0
"""


def contract(text: str, head: str = HEAD) -> ContractSource:
    return contract_of(parse(head + dedent(text), "c.yaml"))


def problems(text: str, head: str = HEAD) -> list[Any]:
    return list(refused(contract, text, head))


# Written for this test in the shape of the standard, with every official key of 3.0, 3.1 and 3.2 in use.
EVERY_KEY = """\
apiVersion: v3.2.0
kind: DataContract
id: everything
name: everything
version: 2.10
status: active
tenant: SomeCompany
domain: sales
dataProduct: shop
context: {purpose: agents}
description:
  purpose: All keys
  usage: Testing
  limitations: None
  authoritativeDefinitions: [{url: https://example.com, type: privacy-statement}]
  customProperties: [{property: a, value: b}]
tags: [one, two]
servers:
  - {server: prod, type: postgres, host: "${DB_HOST}", port: 5432, database: shop, schema: public, roles: [], id: s1}
  - {server: lake, type: iceberg, catalogUrl: https://x, namespace: n}
schema:
  - id: tbl
    name: orders
    physicalName: tbl_orders
    physicalType: table
    logicalType: object
    businessName: Orders
    description: All orders
    deprecated: false
    dataGranularityDescription: one row per order
    context: {a: b}
    tags: [core]
    synonyms: [{synonym: purchases, locale: en}]
    authoritativeDefinitions: [{url: https://example.com, type: tutorial, description: x}]
    relationships: [{type: foreignKey, from: orders.customer, to: customers.id}]
    customProperties: [{property: business-key, value: [id]}, {property: empty, value: }]
    quality:
      - {id: r1, metric: rowCount, mustBeGreaterThan: 10, unit: rows, type: library, dimension: completeness, severity: error,
         businessImpact: operational, method: reconciliation, schedule: 0 20 * * *, scheduler: cron, tags: [x],
         authoritativeDefinitions: [{url: https://example.com, type: x}], customProperties: [{property: FIELD, value: }]}
      - {type: text, description: Orders look plausible}
      - {type: sql, query: "SELECT count(*) FROM {object}", mustBeBetween: [1, 5]}
      - {type: custom, engine: soda, implementation: {type: duplicate_percent, columns: [id], must_be_less_than: 1.0}}
      - {type: custom, engine: greatExpectations, implementation: "type: expect_x"}
    properties:
      - id: p1
        name: id
        physicalName: id
        businessName: Order number
        logicalType: integer
        physicalType: bigint
        description: null
        primaryKey: true
        primaryKeyPosition: 2
        required: true
        unique: true
        partitioned: false
        partitionKeyPosition: -1
        criticalDataElement: true
        classification: 3
        encryptedName: id_enc
        deprecated: false
        semanticType: column
        transformSourceObjects: [a, b]
        transformLogic: select 1
        transformDescription: x
        examples: [1, "2022-10-03"]
        tags: []
        synonyms: []
        relationships: [{to: other.id, type: foreignKey}]
        authoritativeDefinitions: []
        customProperties: []
        quality: [{metric: nullValues, mustBe: 0}]
      - {name: day, logicalType: date, primaryKey: true, primaryKeyPosition: 1, partitioned: true, partitionKeyPosition: 2,
         logicalTypeOptions: {minimum: "2020-01-01", exclusiveMaximum: "2030-01-01", format: yyyy-MM-dd}}
      - {name: at, logicalType: timestamp, partitioned: true, partitionKeyPosition: 1,
         logicalTypeOptions: {defaultTimezone: Europe/Berlin, timezone: true, minimum: "2020-01-01T00:00:00Z"}}
      - {name: kind, logicalType: string, enum: [{value: a, label: A, description: first}, {value: b}],
         logicalTypeOptions: {minLength: 1, maxLength: 9, pattern: "^[a-z]+$", format: hostname}}
      - {name: lines, logicalType: array, logicalTypeOptions: {minItems: 1, maxItems: 9, uniqueItems: true},
         items: {logicalType: object, properties: [{name: sku, logicalType: string}]}}
      - {name: props, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: integer}}}
      - {name: vec, logicalType: vector, logicalTypeOptions: {dimensions: 3, elementType: float32, distanceMetric: cosine,
         embeddingModel: m, embeddingModelVersion: "1", normalized: true}}
      - {name: revenue, logicalType: number, semanticType: measure, transformLogic: SUM(amount)}
      - {name: addr, logicalType: object, logicalTypeOptions: {minProperties: 1, maxProperties: 5, required: [zip]},
         properties: [{name: zip, logicalType: string}]}
support: [{channel: "#help", tool: slack, url: https://x, scope: issues, invitationUrl: https://y, customProperties: []}]
price: {priceAmount: 9.95, priceCurrency: USD, priceUnit: megabyte, id: p}
team:
  id: t
  name: shop-team
  description: x
  tags: []
  customProperties: []
  members:
    - {username: anna, role: Data Steward, dateIn: "2022-08-02", dateOut: "2022-10-01", replacedByUsername: ben}
    - {username: ben@example.com, role: Data Product Owner}
roles: [{role: reader, access: read, firstLevelApprovers: a, secondLevelApprovers: b, customProperties: []}]
slaDefaultElement: orders.at
slaProperties:
  - {property: latency, value: 4, unit: d, element: orders.at, driver: regulatory, id: l, description: x, scheduler: c, schedule: s}
  - {property: freshness, value: 90, unit: minutes}
  - {property: retention, value: 3, valueExt: 1, unit: y}
  - {property: generalAvailability, value: "2022-05-12T09:30:10-08:00"}
  - {property: timeOfAvailability, value: 09:00-08:00}
authoritativeDefinitions: [{url: https://example.com, type: x}]
customProperties:
  - {property: dativo.finops.cost_center, value: marketing, vendor: dativo, description: x, id: c}
  - {property: dativo.keep_original, value: true}
  - {property: other, value: [a, {b: c}]}
contractCreatedTs: 2022-11-15T02:59:43+00:00
verifiedStatements: []
"""  # noqa: E501


@requirement("CFG-04")
def test_no_official_key_is_refused() -> None:
    found = contract(EVERY_KEY, "")
    table = found.tables[0]
    assert (found.name, found.version, found.domain, found.data_product) == ("everything", "2.10", "sales", "shop")
    assert found.owner == "ben@example.com"
    assert found.policy.keep_original
    assert [(each.name, each.type) for each in table.fields] == [
        ("id", "long"), ("day", "date"), ("at", "timestamptz"), ("kind", "string"),
        ("lines", "list<struct<sku:string>>"), ("props", "map<string,long>"), ("vec", "list<float>"),
        ("addr", "struct<zip:string>"),
    ]  # fmt: skip
    assert table.primary_key == ("day", "id")
    assert table.partitioning == (PartitionSpec("at", "day"), PartitionSpec("day", "identity"))
    assert table.fields[2].timezone == "Europe/Berlin"
    assert table.fields[0].classification == "3"
    assert found.properties == {
        "dativo.governance.owner": "ben@example.com", "dativo.governance.retention_days": "1095",
        "dativo.finops.cost_center": "marketing",
    }  # fmt: skip


@requirement("DQ-06")
def test_every_rule_is_kept_as_written_with_its_place() -> None:
    rules = contract(EVERY_KEY, "").tables[0].rules
    options = {rule.column: rule.body for rule in rules if rule.language == "odcs-options"}
    assert options["kind"]["enum"][0]["value"] == "a"
    assert options["kind"]["pattern"] == "^[a-z]+$"
    assert options["id"] == {"unique": True, "required": True}
    assert options["day"]["exclusiveMaximum"] == "2030-01-01"
    assert "required" not in options["addr"]
    odcs = [rule for rule in rules if rule.language == "odcs"]
    assert [rule.column for rule in odcs] == ["id", "", "", "", "", ""]
    assert odcs[4].body["implementation"]["must_be_less_than"] == 1.0
    sla = [rule for rule in rules if rule.language == "inline"]
    assert [(rule.body["column"], rule.body["max_age_hours"]) for rule in sla] == [("at", 96), ("at", 1.5)]
    lines = EVERY_KEY.splitlines()
    for rule in rules:
        path, line, column = rule.declared_in.rsplit(":", 2)
        assert path == "c.yaml"
        assert lines[int(line) - 1][int(column) - 1 :].strip()


def test_team_may_be_a_list_as_in_3_0() -> None:
    found = contract("team: [{username: a, role: Dev}, {username: b, role: Owner}]\nschema: [{name: t}]\n")
    assert found.owner == "b"


def test_a_team_without_an_owner_gives_its_name() -> None:
    assert contract("team: {name: shop-team}\nschema: [{name: t}]\n").owner == "shop-team"


def test_limits_of_3_0_and_3_1_are_both_read() -> None:
    found = contract("""\
        schema:
          - name: t
            properties:
              - {name: a, logicalType: integer, logicalTypeOptions: {minimum: 0, exclusiveMinimum: true}}
              - {name: b, logicalType: integer, logicalTypeOptions: {exclusiveMinimum: 0}}
        """)
    assert [rule.body for rule in found.tables[0].rules] == [
        {"minimum": 0, "exclusiveMinimum": True},
        {"exclusiveMinimum": 0},
    ]


def test_rule_names_of_3_0_are_read_and_keys_of_vendors_set_aside() -> None:
    found = contract(
        """\
        schema:
          - name: t
            properties:
              - name: a
                logicalType: string
                quality:
                  - {rule: validValues, validValues: [x, y], mustBe: 0, toolName: elevate, templateRef: 5}
        """,
        HEAD.replace("v3.1.0", "v3.0.2"),
    )
    assert found.tables[0].rules == (
        Rule("odcs", {"rule": "validValues", "validValues": ["x", "y"], "mustBe": 0}, "a", "c.yaml:12:13"),
    )
    assert [found.problems[0].message] == ["'toolName' is not a key of ODCS and is not read"]


def test_a_misspelt_operator_is_an_error_in_3_0_too() -> None:
    body = "schema: [{name: t, quality: [{rule: rowCount, mustBeLesThan: 5}]}]\n"
    found = only(problems(body, HEAD.replace("v3.1.0", "v3.0.2")))
    assert found.message == "'mustBeLesThan' is not a key of schema[0].quality[0]"
    assert "Did you mean 'mustBeLessThan'?" in found.remedy


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("{metric: rowCount, mustBeGreaterThan: 1, mustBeLessThan: 5}", "a rule has one operator"),
        ("{metric: rowCount, mustBeBetween: [5, 1]}", "smaller number first"),
        ("{metric: rowCount, mustBeBetween: [5]}", "'mustBeBetween' must have at least 2 items"),
        ("{metric: rowCounts, mustBe: 1}", "'metric' cannot be 'rowCounts'"),
        ("{type: sql, mustBe: 1}", "a sql rule needs 'query'"),
        ("{type: custom, engine: soda}", "a custom rule needs 'implementation'"),
        ("{type: library, mustBe: 1}", "a library rule needs 'metric'"),
        ("{type: sqll}", "'type' cannot be 'sqll'"),
        ("{metric: invalidValues, arguments: , pattern: x, mustBe: 0}", "'pattern' stands beside `arguments:`"),
        ("{metric: nullValues, dimension: quality}", "'dimension' cannot be 'quality'"),
        ("words", "'quality[0]' must be a mapping of keys, not text"),
    ],
)
def test_a_rule_that_means_nothing_is_an_error(rule: str, said: str) -> None:
    assert said in only(problems(f"schema: [{{name: t, quality: [{rule}]}}]\n")).message


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("schema: [{name: t, properties: [{logicalType: string}]}]", "'name' is missing in a column", (6, 33)),
        ("schema: [{name: t, properties: [{name: a}, {name: A}]}]", "the column 'A' stands twice", (6, 44)),
        ("schema: [{name: t}, {name: t}]", "the table 't' stands twice", (6, 21)),
        ("schema: [{name: t, properties: [{name: _dativo_run}]}]", "begins with _dativo_", (6, 40)),
        ("schema: [{name: t, properties: [{name: a, logicalType: text}]}]", "'logicalType' cannot be 'text'", (6, 56)),
        ("schema: [{name: t, properties: [{name: a, physicalType: frob}]}]", "is not a physical type", (6, 57)),
        (
            "schema: [{name: t, properties: [{name: a, logicalTypeOptions: {pattern: '('}}]}]",
            "not a regular expression", (6, 73),
        ),
        (
            "schema: [{name: t, properties: [{name: a, logicalTypeOptions: {defaultTimezone: Berlin}}]}]",
            "'Berlin' is not a time zone", (6, 81),
        ),
        ("customProperties: [{property: dativo.tenant, value: globex}]\nschema: [{name: t}]", "can not be set", (6, 31)),  # noqa: E501
        ("customProperties: [{property: dativo.state.x, value: 1}]\nschema: [{name: t}]", "can not be set", (6, 31)),
        ("schema: {name: t}", "'schema' must be a list", (6, 1)),
        ("schema: [{properties: []}]", "'name' is missing in schema[0]", (6, 10)),
        ("schema: [{name: t, propertys: []}]", "'propertys' is not a key of schema[0]", (6, 20)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(text: str, said: str, where: tuple[int, int]) -> None:
    found = only([each for each in problems(text + "\n") if each.severity == "error"])
    assert said in found.message
    assert place(found) == where


def test_a_slip_in_a_physical_type_does_not_widen_the_column_silently() -> None:
    def warned(physical: str) -> list[str]:
        column = f"{{name: a, logicalType: number, physicalType: '{physical}'}}"
        return [each.text for each in contract(f"schema: [{{name: t, properties: [{column}]}}]\n").problems]

    (said,) = warned("decmal(10,2)")
    assert said.endswith("the column becomes double. Did you mean 'decimal'?")
    assert warned("hstore") == []


def test_versions_and_kinds_that_are_no_odcs_are_refused() -> None:
    assert "is not a version of ODCS" in only(problems("schema: [{name: t}]", HEAD.replace("v3.1.0", "v4.0.0"))).message
    assert "'version' is missing" in only(problems("schema: [{name: t}]", HEAD.replace("version: 1.0.0\n", ""))).message


def test_what_odcs_asks_for_and_is_not_there_is_a_warning() -> None:
    found = contract("schema: []\n", "version: 1\napiVersion: v3.0.2\n")
    assert [each.message for each in found.problems] == [
        "'kind' is missing: ODCS asks for it", "'id' is missing: ODCS asks for it", "the contract describes no table",
    ]  # fmt: skip
    assert {each.severity for each in found.problems} == {"warning"}


def test_names_in_the_source_and_rules_inside_objects_are_said_not_to_be_read() -> None:
    found = contract("""\
        schema:
          - name: t
            properties:
              - {name: a, physicalName: a_1}
              - {name: b, logicalType: object, properties: [{name: c, required: true}]}
        """)
    assert [each.message for each in found.problems] == [
        "physicalName is not read", "rules inside 'b' are not checked by this version",
    ]  # fmt: skip


def test_a_promise_goes_to_the_table_it_names() -> None:
    found = contract("""\
        schema:
          - {name: a, properties: [{name: at, logicalType: timestamp}]}
          - {name: b, physicalName: b_1, properties: [{name: at, logicalType: timestamp}]}
        slaProperties:
          - {property: latency, value: 1, unit: h, element: b_1.at}
          - {property: latency, value: 2, unit: h, element: a.gone}
          - {property: latency, value: a lot}
        """)
    assert [len(table.rules) for table in found.tables] == [0, 1]
    assert "'a.gone' is no column of this contract" in only(list(found.problems)).message


@requirement("ING-16")
def test_a_contract_is_read_again_only_when_it_changed(deployment: Deployment) -> None:
    path = deployment.root / "tenants/acme/contracts/orders.odcs.yaml"
    first = read_contract(path)
    assert read_contract(path) is first
    path.write_text(path.read_text().replace("name: orders\nversion: 1.2.0", "name: changed\nversion: 10.2.0"))
    assert read_contract(path).name == "changed"
    path.unlink()
    assert "cannot be read" in only(list(refused(read_contract, path))).message


def test_a_file_of_another_kind_is_no_contract() -> None:
    found = only(list(refused(contract, "tenant_id: a\nsource_connector: csv\n", "")))
    assert found.message == "this is no contract but a job file"
