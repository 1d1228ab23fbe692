from __future__ import annotations

import json
from importlib.metadata import entry_points
from pathlib import Path

import airflow
import jsonschema
import pytest

from dativo_provider.get_provider_info import SETTING_NAMES, get_provider_info

INFO = get_provider_info()


def test_the_info_is_what_airflows_schema_asks_for():
    schema = Path(airflow.__file__).parent / "provider_info.schema.json"
    jsonschema.validate(INFO, json.loads(schema.read_text()))


def test_both_entry_points_are_installed():
    assert entry_points(group="apache_airflow_provider", name="provider_info")
    (plugin,) = [point for point in entry_points(group="airflow.plugins") if point.name == "dativo"]
    assert plugin.load().name == "dativo"


def dotted():
    yield from (
        module for group in ("operators", "hooks") for entry in INFO[group] for module in entry["python-modules"]
    )
    yield from (path for entry in INFO["asset-uris"] for key, path in entry.items() if key != "schemes")
    yield from INFO["cli"]
    yield from INFO["extra-links"]


@pytest.mark.parametrize("path", dotted())
def test_everything_the_info_names_exists(path):
    from airflow.sdk.module_loading import import_string

    try:
        import_string(path)
    except ImportError:
        __import__(path)


def test_airflow_knows_the_section_with_its_defaults():
    from airflow.sdk.configuration import conf

    assert conf.get("dativo", "memory_limit") == "1024"
    assert conf.getboolean("dativo", "manage_pools") is False


def test_every_option_is_a_setting_of_the_engine_and_the_other_way_round():
    from dativo_provider.config.settings import KEYS

    assert set(SETTING_NAMES) == set(KEYS)


def test_whatever_may_hold_a_password_can_come_from_a_command_or_a_secret():
    options = INFO["config"]["dativo"]["options"]
    assert {name for name, option in options.items() if option.get("sensitive")} == {
        "catalog_uri", "catalog_properties", "state_encryption", "store_uri",
    }  # fmt: skip


def test_every_option_is_explained():
    for name, option in INFO["config"]["dativo"]["options"].items():
        assert option["description"].strip().endswith((".", "`.")), name
