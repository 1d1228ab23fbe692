from __future__ import annotations

import pytest
from airflow.sdk import Asset

from dativo_provider.hooks.asset_uri import create_asset, table_uri, to_openlineage


def test_a_table_keeps_the_case_of_its_name():
    asset = Asset(name="a", uri=table_uri("lake", "acme", "Orders"))
    assert asset.uri == "dativo-iceberg://lake/acme/Orders"


@pytest.mark.parametrize(
    "uri", ["dativo-iceberg://lake/acme", "dativo-iceberg:///acme/orders", "dativo-iceberg://lake/a/b/c"]
)
def test_a_uri_that_names_no_table_is_refused(uri):
    with pytest.raises(ValueError, match="dativo-iceberg://<catalog>/<namespace>/<table>"):
        Asset(name="a", uri=uri)


def test_the_factory_airflow_calls_makes_the_same_asset():
    asset = create_asset(catalog="lake", namespace="acme", table="orders")
    assert (asset.name, asset.uri) == ("acme.orders", "dativo-iceberg://lake/acme/orders")


def test_openlineage_knows_the_table_under_the_name_that_engines_use():
    dataset = to_openlineage(create_asset(catalog="lake", namespace="acme", table="orders"), None)
    assert (dataset.namespace, dataset.name) == ("iceberg://lake", "acme.orders")
