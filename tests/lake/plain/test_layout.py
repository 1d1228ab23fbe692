"""Names of folders and files: different values never meet, and every engine reads the value back."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.errors import ConfigurationError
from dativo_provider.lake.plain.layout import plain_name, plan_of, segment
from dativo_provider.model.job import ContractSpec
from tests.lake.support import job
from tests.support import requirement

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@requirement("ING-07")
@given(TEXTS, TEXTS)
def test_different_values_never_share_a_folder(one: str, two: str) -> None:
    assert (segment("region", one) == segment("region", two)) == (one == two)


@requirement("ING-07")
@given(TEXTS.filter(bool))
def test_a_folder_says_its_value(value: str) -> None:
    assert unquote(segment("region", value).removeprefix("region=")) == value


@given(TEXTS)
def test_a_folder_is_one_plain_name(value: str) -> None:
    """No separator, no control sign, nothing that a URI or a shell cuts; letters of all languages stay."""
    assert re.fullmatch(r"region=([A-Za-z0-9._~-]|%[0-9A-F]{2}|[^\x00-\x7f])*", segment("region", value))


@pytest.mark.parametrize("name", ["__HIVE_DEFAULT_PARTITION__", "__EMPTY__"])
def test_a_value_that_looks_like_null_is_none(name: str) -> None:
    assert segment("x", name) not in (segment("x", None), segment("x", ""))


@requirement("ING-07")
@pytest.mark.parametrize(
    ("contract", "table", "name"),
    [
        (ContractSpec("o"), "Orders", "default.default.orders"),
        (ContractSpec("o", domain="Sales", data_product="web shop"), "EU-orders", "sales.web_shop.eu_orders"),
    ],
)
def test_tables_are_named_by_domain_and_data_product(contract: ContractSpec, table: str, name: str) -> None:
    made = job(table=table, contract=contract)
    assert plain_name(made, made.streams[0]) == name


@pytest.mark.parametrize("table", ["", " ", "a.b", "a/b", "..", "käse", "a\n"])
def test_names_that_would_meet_others_are_refused(table: str) -> None:
    made = job(table=table)
    with pytest.raises(ConfigurationError, match="cannot name a folder"):
        plain_name(made, made.streams[0])


def test_the_plan_is_read_from_the_name_of_a_file() -> None:
    name = "s3://b/orders/orders_20261121T151744-abcdef12_s00000-a1-0000-0a0b0c0d.parquet"
    assert plan_of(name, "orders") == "20261121T151744-abcdef12"
    for other in ("s3://b/orders/part-0.parquet", "s3://b/orders/orders_.parquet", "s3://b/orders/orders_a_b.csv"):
        assert plan_of(other, "orders") == ""
