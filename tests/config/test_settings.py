from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import settings_from
from dativo_provider.config.settings import KEYS
from dativo_provider.errors import ConfigurationError
from dativo_provider.get_provider_info import SETTING_NAMES


def test_everything_is_embedded_below_home_by_default(tmp_path: Path) -> None:
    found = settings_from({"home": str(tmp_path)})
    assert found.home == str(tmp_path)
    assert found.catalog.properties == {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db"}
    assert found.catalog.warehouse == (tmp_path / "warehouse").as_uri()
    assert (found.store.leaf, found.store.uri) == ("sql", f"sqlite:///{tmp_path}/store.db")
    assert found.catalog.embedded
    assert found.store.embedded
    assert (found.memory_limit_mb, found.threads, found.mode) == (1024, 2, "self_hosted")


def test_a_deployment_of_its_own_is_not_embedded() -> None:
    found = settings_from({
        "home": "/x", "catalog_uri": "postgresql://u:p@db/cat", "catalog_name": "lake", "warehouse": "s3://lake/w/",
        "catalog_properties": '{"s3.region": "eu-central-1", "s3.max": 5}', "memory_limit": "2GB", "threads": "4",
        "manage_pools": "True", "manage_roles": "yes", "mode": "cloud", "environment": "prod", "distributed": "1",
    })  # fmt: skip
    assert found.catalog.name == "lake"
    assert found.catalog.properties == {
        "type": "sql", "uri": "postgresql://u:p@db/cat", "s3.region": "eu-central-1", "s3.max": "5",
    }  # fmt: skip
    assert found.catalog.warehouse == "s3://lake/w"
    assert (found.store.leaf, found.store.uri) == ("lake", "s3://lake/w/_dativo")
    assert not found.catalog.embedded
    assert not found.store.embedded
    assert (found.memory_limit_mb, found.threads, found.mode) == (2048, 4, "cloud")
    assert found.manage_pools
    assert found.manage_roles
    assert found.distributed


@pytest.mark.parametrize(
    ("uri", "leaf", "embedded"),
    [
        ("postgresql+psycopg2://db/x", "sql", False),
        ("sqlite:////tmp/s.db", "sql", True),
        ("s3://b/runs", "lake", False),
        ("file:///srv/runs", "lake", True),
        ("/srv/runs", "lake", True),
    ],
)
def test_the_store_is_a_database_or_a_folder_by_its_uri(uri: str, leaf: str, embedded: bool) -> None:
    store = settings_from({"home": "/x", "store_uri": uri}).store
    assert (store.leaf, store.embedded) == (leaf, embedded)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"warehose": "x"}, "no setting 'warehose'"),
        ({"mode": "clod"}, "mode is neither"),
        ({"threads": "none"}, "threads is not a whole number"),
        ({"threads": "0"}, "threads is not a whole number"),
        ({"memory_limit": "much"}, "memory_limit is not a size"),
        ({"memory_limit": "1MB"}, "memory_limit is not a size"),
        ({"manage_pools": "perhaps"}, "manage_pools is not a yes or no"),
        ({"catalog_properties": "[1]"}, "not a JSON object"),
        ({"catalog_properties": "{"}, "not a JSON object"),
        ({"catalog_type": "rest"}, "needs its address"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(values: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        settings_from(values)
    assert caught.value.where.startswith("[dativo] ")
    assert caught.value.remedy


def test_an_unknown_setting_gets_the_nearest_name() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_from({"warehose": "x"})
    assert caught.value.remedy == "Did you mean 'warehouse'?"


def test_a_bad_value_is_never_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings_from({"catalog_properties": '{"s3.secret": hunter2'})
    assert "hunter2" not in str(caught.value)


def test_every_setting_airflow_knows_is_known_here() -> None:
    assert set(SETTING_NAMES) <= set(KEYS)
