"""Contracts held against the standard's own JSON Schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config.problems import Problem
from dativo_provider.config.standard import standard_problems
from dativo_provider.config.yamlpos import parse
from tests.support import requirement

PARCELS = (Path(__file__).parents[2] / "contracts" / "parcels.odcs.yaml").read_text(encoding="utf-8")
RULE = "metric: nullValues, mustBeLessThan: 60, unit: percent"
SCALE = """
apiVersion: {version}
kind: DataContract
id: a
version: 1.0.0
status: active
schema:
  - name: a
    properties:
      - {{name: b, logicalType: string, quality: [{{type: library, rule: nullCheck, vendorKey: 1}}]}}
team: [{{username: sam, role: Owner, comment: keeper}}]
"""


def departures(text: str) -> list[Problem]:
    return standard_problems(parse(text, "parcels.odcs.yaml"))


@requirement("SN-09", "DQ-01")
def test_a_contract_with_every_section_is_one_of_the_standard() -> None:
    assert departures(PARCELS) == []


@requirement("CFG-01", "DQ-01")
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("support:\n", "suport:\n", "'suport' is no key of the contract"),
        ("kind: DataContract\n", "", "'kind' is missing in the contract"),
        ("frequency, value: 1,", "frequency,", "'value' is missing in 'slaProperties'"),
        (RULE, RULE.replace("nullValues", "freshness"), "'metric' is one of nullValues"),
        (RULE, RULE.replace("unit: percent", "unti: percent"), "'unti' is no key of 'quality'"),
        ("type: iceberg, catalog", "type: icebreg, catalog", "'type' is one of"),
        ("tags: [core]", "tags: core", "'tags' must be array"),
        ("port: 5432", "prot: 5432", "'servers'"),
    ],
)
def test_what_is_not_of_the_standard_is_said_at_its_line(old: str, new: str, said: str) -> None:
    assert old in PARCELS
    found = departures(PARCELS.replace(old, new))
    assert any(said in each.message for each in found), "\n".join(map(str, found))
    assert {each.severity for each in found} == {"warning"}
    lines = PARCELS.replace(old, new).splitlines()
    if new:
        assert any(new.splitlines()[0].strip() in lines[each.line - 1] for each in found)


def test_a_value_is_never_shown() -> None:
    found = departures(PARCELS.replace("port: 5432", "port: {password: hunter2}"))
    assert found
    assert not any("hunter2" in str(each) for each in found)


def test_older_contracts_may_have_what_the_standard_allowed_then() -> None:
    assert departures(SCALE.format(version="v3.0.2")) == []
    assert len(departures(SCALE.format(version="v3.1.0"))) > 1
