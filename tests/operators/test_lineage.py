from __future__ import annotations

from dataclasses import replace

import pytest

from dativo_provider.model.checks import CheckResult, CheckSpec, Verdict
from dativo_provider.model.job import SourceSpec, TransformSpec
from dativo_provider.model.lookup import LookupPin
from dativo_provider.model.run import Published
from dativo_provider.model.stream import Field
from dativo_provider.operators.lineage import Facts, to_openlineage
from tests.operators.samples import FIELDS, sample_job, sample_plan
from tests.support import requirement

CHECKS = (
    CheckSpec("c1", "id there", "required", columns=("order_id",)),
    CheckSpec("c2", "id once", "uniqueness", scope="dataset", columns=("order_id",)),
    CheckSpec("c3", "not asked", "sql", scope="dataset"),
)
VERDICT = Verdict(
    "quarantine",
    (
        CheckResult("c1", "id there", "passed", "stream"),
        CheckResult("c2", "id once", "failed", "scan", failed=3),
        CheckResult("c3", "not asked", "skipped", "none"),
    ),
)


@pytest.fixture
def lineage():
    job = sample_job(transforms=(TransformSpec("t", "total", "a + b"),))
    plan = sample_plan(job=job, checks=CHECKS, fields=(*FIELDS, Field("total", "double")), source_fields=FIELDS)
    return to_openlineage(Facts(plan, Published("committed", inserted=40, updated=2), VERDICT, "lake"))


def test_one_event_has_both_sides(lineage):
    (source,), (table,) = lineage.inputs, lineage.outputs
    assert (source.namespace, source.name) == ("csv://acme", "data/orders/*.csv")
    assert (table.namespace, table.name) == ("iceberg://lake", "acme.orders")


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("s3://raw-zone/in/_dativo/sales/shop/orders", ("s3://raw-zone", "in/sales/shop/orders")),
        ("file:///lake/_dativo/sales/shop/orders", ("file", "/lake/sales/shop/orders")),
        ("s3://raw-zone/sales/shop/orders", ("iceberg://lake", "sales.shop.orders")),
    ],
)
def test_a_folder_is_named_by_its_place(location, named):
    plan = replace(sample_plan(), table="sales.shop.orders", table_location=location)
    (folder,) = to_openlineage(Facts(plan, Published("committed"), VERDICT, "lake")).outputs
    assert (folder.namespace, folder.name) == named


@requirement("ING-16")
def test_lookups_are_inputs_too():
    pins = (
        LookupPin("lands", "acme.lands", "u/7", (Field("code"), Field("name")), 3),
        LookupPin("rates", "dims/rates.csv", "ab12", (Field("currency"),), 2, copy="s3://w/lookup-rates.parquet"),
    )
    job = sample_job(source=SourceSpec("csv", roots=("/srv/acme",)))
    plan = replace(sample_plan(job=job), lookups=pins)
    _, lands, rates = to_openlineage(Facts(plan, Published("committed"), VERDICT, "lake")).inputs
    assert (lands.namespace, lands.name) == ("iceberg://lake", "acme.lands")
    assert [field.name for field in lands.facets["schema"].fields] == ["code", "name"]
    assert (rates.namespace, rates.name) == ("file", "/srv/acme/dims/rates.csv")


def test_the_table_has_schema_statistics_and_owner(lineage):
    table = lineage.outputs[0]
    assert next((f.name, f.type) for f in table.facets["schema"].fields) == ("order_id", "long")
    assert table.outputFacets["outputStatistics"].rowCount == 42
    assert table.facets["ownership"].owners[0].name == "shop-data@example.com"


def test_columns_lead_back_to_the_source_unless_a_transformation_made_them(lineage):
    columns = lineage.outputs[0].facets["columnLineage"].fields
    assert set(columns) == {"order_id", "email", "updated_at"}
    assert columns["email"].inputFields[0].field == "email"


def test_a_check_that_gave_no_answer_is_no_assertion(lineage):
    found = lineage.inputs[0].inputFacets["dataQualityAssertions"].assertions
    assert [(a.assertion, a.success, a.column) for a in found] == [
        ("not_null", True, "order_id"),
        ("unique", False, "order_id"),
    ]


@pytest.mark.parametrize(
    ("source", "namespace"),
    [
        (SourceSpec("postgres", {"host": "db.internal"}), "postgres://db.internal"),
        (SourceSpec("postgres", {"host": "${SHOP_HOST}"}), "postgres://acme"),
        (SourceSpec("postgres", {}, "acme_shop"), "postgres://acme_shop"),
    ],
)
def test_the_source_is_named_without_resolving_a_reference(source, namespace):
    plan = replace(sample_plan(), job=sample_job(source=source))
    assert Facts(plan, Published("committed"), VERDICT, "lake").source[0] == namespace
