"""What job and contract may say about changes of the schema, and where each word stands when it is wrong."""

from __future__ import annotations

import pytest

from dativo_provider.model.schema import SchemaPolicies
from tests.config.support import CONTRACT, JOB, Deployment
from tests.config.test_odcs import contract, problems
from tests.support import requirement

TABLE = """\
schema:
  - name: orders
    customProperties:
      - {property: schemaPolicy, value: {missing_column: freeze}}
      - {property: droppedColumns, value: [secret]}
    properties:
      - {name: id, logicalType: integer, required: true}
      - name: title
        logicalType: string
        customProperties:
          - {property: renamedFrom, value: [name, label]}
          - {property: schemaPolicy, value: discard_value}
      - name: address
        logicalType: object
        properties:
          - {name: zip, logicalType: string, customProperties: [{property: renamedFrom, value: plz}]}
      - {name: payload, logicalType: string, physicalType: jsonb, customProperties: [{property: json, value: struct}]}
      - name: raw
        logicalType: object
        customProperties: [{property: json, value: string}]
        properties: [{name: a, logicalType: string}]
"""


@requirement("ING-20", "DQ-03")
def test_a_contract_says_names_of_the_past_policies_and_json() -> None:
    (table,) = contract(TABLE).tables
    fields = {each.name: each for each in table.fields}
    assert fields["title"].renamed_from == ("name", "label")
    assert fields["address"].parts_renamed_from == (("zip", "plz"),)
    assert (fields["payload"].infer, fields["raw"].infer, fields["raw"].type) == (True, False, "string")
    assert fields["title"].declared_in == "c.yaml:13:9"
    assert table.dropped == ("secret",)
    policies = table.schema_policies
    assert policies.of("missing_column", "id", "evolve") == "freeze"
    assert policies.of("missing_column", "title", "evolve") == "discard_value"
    assert policies.of("other_type", "title.part", "evolve") == "discard_value"
    assert policies.of("new_column", "id", "evolve") == "evolve"


@pytest.mark.parametrize(
    ("old", "new", "says", "line"),
    [
        ("value: discard_value}", "value: discard}", "discard", 17),
        ("value: {missing_column: freeze}", "value: {missing_columns: freeze}", "missing_columns", 9),
        ("value: [name, label]", "value: id", "which is a column of this contract", 13),
        ("value: [secret]", "value: [id]", "'id' is dropped, and a column", 11),
        ("{property: json, value: struct}", "{property: json, value: map}", "json cannot be 'map'", 22),
    ],
)
def test_what_is_wrong_is_told_at_its_line(old: str, new: str, says: str, line: int) -> None:
    assert TABLE.count(old) == 1
    found = problems(TABLE.replace(old, new))
    assert any(says in each.message for each in found), [str(each) for each in found]
    assert any(each.line == line for each in found), [str(each) for each in found]


@requirement("DQ-03")
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("target: {mode: strict}\n", ("freeze", "freeze", "freeze", "-")),
        ("target: {mode: merge}\n", ("evolve", "evolve", "evolve", "-")),
        ("target: {mode: relaxed}\n", ("evolve", "evolve", "discard_value", "-")),
        ("target: {schema_policy: freeze}\n", ("freeze", "freeze", "freeze", "freeze")),
        ("target: {schema_policy: discard_row}\n", ("discard_row", "discard_row", "discard_row", "-")),
        ("target: {mode: strict, schema_policy: {new_column: evolve}}\n", ("evolve", "freeze", "freeze", "-")),
        ("data_contract: {schema_contract: {strict_mode: true}}\n", ("freeze", "freeze", "freeze", "-")),
        (
            "data_contract: {schema_contract: {allow_nullable_expansion: false, allow_type_changes: true}}\n",
            ("-", "-", "evolve", "freeze"),
        ),
    ],
)
def test_the_older_words_are_policies_too(deployment: Deployment, written: str, expected: tuple[str, ...]) -> None:
    job = deployment.load(JOB + written)
    found = job.schema_policies(job.streams[0]).kinds
    kinds = ("new_column", "missing_column", "other_type", "nullability")
    assert tuple(found.get(kind, "-") for kind in kinds) == expected  # type: ignore[call-overload]


def test_single_columns_have_policies_in_a_job_too(deployment: Deployment) -> None:
    job = deployment.load(JOB + "target: {schema_policy: {other_type: freeze, columns: {id: {other_type: evolve}}}}\n")
    assert job.target.schema_policies == SchemaPolicies({"other_type": "freeze"}, {"id": {"other_type": "evolve"}})


def test_a_word_that_is_no_policy_is_refused(deployment: Deployment) -> None:
    found = deployment.only_error(JOB + "target: {schema_policy: {new_column: ignore}}\n")
    assert "ignore" in found.message


def test_a_time_of_day_is_warned_of(deployment: Deployment) -> None:
    deployment.write(
        "tenants/acme/contracts/orders.odcs.yaml",
        CONTRACT.replace("- {name: country,", "- {name: opens, logicalType: time}\n      - {name: country,"),
    )
    assert "Spark 4.0 cannot read" in deployment.only_warning(JOB).message
