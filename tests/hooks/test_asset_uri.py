from __future__ import annotations

import pytest
from airflow.sdk import Asset

from dativo_provider.hooks.asset_uri import create_asset, dataset_of, folder_asset_uri, table_uri, to_openlineage


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


@pytest.mark.parametrize(
    ("uri", "namespace", "name"),
    [
        ("s3://raw-zone/shop/sales/web_shop/orders", "s3://raw-zone", "shop/sales/web_shop/orders"),
        ("s3a://raw-zone/orders", "s3://raw-zone", "orders"),
        ("gs://raw-zone/shop/orders", "gs://raw-zone", "shop/orders"),
        ("file:///srv/lake/sales/orders", "file", "/srv/lake/sales/orders"),
    ],
)
def test_openlineage_knows_a_folder_by_its_place(uri, namespace, name):
    """https://openlineage.io/docs/spec/naming"""
    assert dataset_of(uri) == (namespace, name)


@pytest.mark.parametrize(
    ("root", "uri"),
    [
        ("s3://raw-zone/shop", "s3://raw-zone/shop/sales/web/orders"),
        ("file:///srv/lake/", "file:///srv/lake/sales/web/orders"),
        ("s3://${BUCKET}/shop", "x-dativo://acme/sales/web/orders"),
        ("", "x-dativo://acme/sales/web/orders"),
    ],
)
def test_a_folder_is_an_asset_by_its_place_where_that_is_known(root, uri):
    asset = Asset(name="a", uri=folder_asset_uri("acme", root, "sales.web.orders"))
    assert asset.uri == uri
