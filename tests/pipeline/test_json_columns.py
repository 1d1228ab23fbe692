"""JSON becomes a struct by declaration or by a sample, or stays text; what does not fit is never lost silently."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field
from dativo_provider.transform.cast import convert
from dativo_provider.transform.proposal import proposed_type
from dativo_provider.vocabulary import SchemaPolicy
from tests.pipeline.build import Bench, ids
from tests.support import requirement

ID = Field("id", "long", required=True)


def lines(*documents: Any) -> list[str]:
    quoted = [json.dumps(each).replace('"', '""') for each in documents]
    return [f'{number},"{text}"' for number, text in enumerate(quoted, 1)]


def loaded(root: Path, column: Field, *documents: Any, **policies: SchemaPolicy) -> Bench:
    made = Bench(root, fields=(ID, column), target={"schema_policies": SchemaPolicies(policies)})  # type: ignore[arg-type]
    made.csv("a.csv", *lines(*documents), header="id,doc")
    made.run()
    return made


def docs(made: Bench) -> dict[int, Any]:
    return {row["id"]: row["doc"] for row in made.rows()}


DECLARED = Field("doc", "struct<a:long,l:list<string>>")


@requirement("ING-20")
@pytest.mark.parametrize(
    ("policy", "published"),
    [("discard_value", {1: {"a": 1, "l": ["x"]}, 2: {"a": 2, "l": None}}), ("discard_row", {1: {"a": 1, "l": ["x"]}})],
)
def test_a_part_the_contract_does_not_know(tmp_path: Path, policy: SchemaPolicy, published: dict[int, Any]) -> None:
    made = loaded(tmp_path, DECLARED, {"a": 1, "l": ["x"]}, {"a": 2, "new": True}, new_column=policy)
    assert docs(made) == published
    assert len(made.quarantine()) == 2 - len(published)


@requirement("ING-20")
@pytest.mark.parametrize(("policy", "published"), [("discard_value", {1: {"a": 1, "l": None}, 2: None}),
                                                   ("discard_row", {1: {"a": 1, "l": None}})])  # fmt: skip
def test_a_json_value_that_does_not_fit(tmp_path: Path, policy: SchemaPolicy, published: dict[int, Any]) -> None:
    made = loaded(tmp_path, DECLARED, {"a": 1}, {"a": "one"}, other_type=policy)
    assert docs(made) == published


def test_parts_evolve_with_the_source(tmp_path: Path) -> None:
    made = loaded(tmp_path, DECLARED, {"a": 1}, new_column="evolve")
    made.csv("b.csv", '7,"{""a"": 2, ""b"": {""c"": 1.5}}"', header="id,doc")
    report = made.run()
    assert report.plan is not None
    assert "add column doc.b (struct<c:double>)" in report.plan.table_changes
    assert docs(made) == {1: {"a": 1, "l": None, "b": None}, 7: {"a": 2, "l": None, "b": {"c": 1.5}}}


@requirement("ING-20")
def test_an_inferred_struct_is_frozen_into_the_plan_and_grows_with_the_next(tmp_path: Path) -> None:
    column = Field("doc", "string", infer=True)
    made = loaded(tmp_path, column, {"a": 1, "t": "x"}, {"a": 2, "l": [{"n": 1}]})
    assert made.table().schema().find_type("doc.a").__class__.__name__ == "LongType"
    assert docs(made)[2] == {"a": 2, "t": None, "l": [{"n": 1}]}
    made.csv("b.csv", '7,"{""a"": ""text"", ""z"": true}"', '8,"{""z"": false}"', header="id,doc")
    report = made.run()
    assert report.error is None
    assert ids(made.rows()) == [1, 2, 8]  # `a` stays a whole number: the row that has text there is set aside
    assert docs(made)[8]["z"] is False
    assert [row["reasons"] for row in made.quarantine()] == [["doc.type"]]


def test_nothing_to_infer_from_leaves_the_column_out(tmp_path: Path) -> None:
    made = loaded(tmp_path, Field("doc", "string", infer=True), None)
    assert "doc" not in made.table().schema().column_names


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('ab"1', max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=5,
)


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.too_slow])  # other suites share the machine
@given(st.lists(st.dictionaries(st.sampled_from("abc"), JSON, max_size=3), min_size=1, max_size=5))
def test_every_value_of_the_sample_fits_the_proposed_type(documents: list[dict[str, Any]]) -> None:
    import pyarrow as pa

    texts = [json.dumps(each) for each in documents]
    kind = proposed_type(texts)
    if kind is None:
        return
    _, failed = convert(pa.array(texts), kind)
    assert failed is None or not failed.true_count
