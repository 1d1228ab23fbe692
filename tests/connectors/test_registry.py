from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from importlib.metadata import EntryPoint

import pytest

from dativo_provider.config.known import BUILT_IN
from dativo_provider.connectors import registry
from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.files.options import Options as FileOptions
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.registry import ConnectorInfo, connector, connectors, open_reader, require
from dativo_provider.errors import ConfigurationError, Unsupported
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.settings import Settings
from tests.support import requirement

HEAVY = ("airflow", "boto3", "duckdb", "pandas", "psycopg2", "pyarrow", "pyiceberg", "sqlalchemy", "zstandard")
REGISTERED = (
    "hubspot stripe gdrive_csv csv markdown_kv google_sheets postgres mysql iceberg s3 minio azure_blob"
).split()
PLUGIN = ConnectorInfo("weather", ("source",), "api", "Weather stations", reader="collections:OrderedDict")


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch):
    """Pretends that distributions declare these entry points."""

    def install(*points: EntryPoint) -> None:
        monkeypatch.setattr(registry, "entry_points", lambda group: points)
        registry._plugged_in.cache_clear()

    yield install
    registry._plugged_in.cache_clear()


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, registry.ENTRY_POINT_GROUP)


@requirement("CFG-05", "CFG-06")
def test_every_registered_type_is_known_with_its_roles() -> None:
    assert set(REGISTERED) <= connectors().keys()
    assert connector("postgres").roles == connector("csv").roles == ("source", "target")
    assert connector("iceberg").roles == ("target",)
    assert connector("stripe").roles == ("source",)


@requirement("CFG-05")
def test_the_configuration_and_the_registry_know_the_same_connectors() -> None:
    for name, known in BUILT_IN.items():
        info = connector(name)
        assert info.roles == tuple(role for role in ("source", "target") if known.can_be(role)), name
        assert info.capabilities.allowed_in_cloud == known.cloud, name
        assert tuple(role for role in info.roles if info.runs(role)) == known.runs, name
        assert info.strategies[:1] == ((known.strategy,) if known.strategy else ()), name
        assert info.category == known.kind, name


def test_what_can_run_can_be_loaded() -> None:
    assert connector("csv").load("source").capabilities == connector("csv").capabilities
    with pytest.raises(Unsupported, match="known as a target but cannot be run"):
        connector("csv").load("target")


@requirement("CFG-05")
def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'postgres'") as caught:
        connector("postgress")
    assert "csv" in caught.value.remedy


@requirement("CFG-06")
def test_a_connector_is_refused_in_a_role_it_does_not_have() -> None:
    with pytest.raises(ConfigurationError, match="'iceberg' cannot be a source"):
        require("iceberg", "source")
    with pytest.raises(ConfigurationError, match="'stripe' cannot be a target") as caught:
        require("stripe", "target")
    assert "iceberg" in caught.value.remedy


@requirement("CFG-15")
@pytest.mark.parametrize("name", ["postgres", "mysql"])
def test_databases_are_refused_in_cloud_mode(name: str) -> None:
    assert require(name, "source", "self_hosted").name == name
    with pytest.raises(ConfigurationError, match="not allowed in cloud mode") as caught:
        require(name, "source", "cloud")
    assert "self_hosted" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="not allowed in cloud mode"):
        open_reader(SourceSpec(name), RunContext(Settings(home="", mode="cloud")))


@requirement("CFG-15")
def test_files_and_apis_are_allowed_in_cloud_mode() -> None:
    assert require("csv", "source", "cloud").capabilities.allowed_in_cloud
    assert require("stripe", "source", "cloud").capabilities.allowed_in_cloud


def test_a_known_connector_without_a_leaf_says_what_can_be_run() -> None:
    with pytest.raises(Unsupported, match="'notion' is known as a source") as caught:
        open_reader(SourceSpec("notion"), RunContext(Settings(home="")))
    assert "csv" in caught.value.remedy


def test_a_reader_is_opened_by_name(tmp_path) -> None:
    reader = open_reader(SourceSpec("csv", roots=(str(tmp_path),)), RunContext(Settings(home="")))
    assert type(reader).__name__ == "CsvReader"


def test_plugins_are_found_by_entry_point_and_cannot_replace_ours(plugins) -> None:
    plugins(point("weather", f"{__name__}:PLUGIN"), point("csv", f"{__name__}:PLUGIN"))
    with pytest.raises(ConfigurationError, match="not a ConnectorInfo of that name"):
        connectors()
    plugins(point("weather", f"{__name__}:PLUGIN"))
    assert connector("weather") is PLUGIN
    assert "weather" in connectors()


@pytest.mark.parametrize("value", ["no.such.module:X", f"{__name__}:NOTHING", f"{__name__}:HEAVY"])
def test_a_broken_plugin_is_named(plugins, value: str) -> None:
    plugins(point("weather", value))
    with pytest.raises(ConfigurationError, match="connector plugin 'weather'"):
        connector("weather")
    assert connector("csv").name == "csv"


def test_looking_connectors_up_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dativo_provider.connectors.registry import connectors, require; connectors();"
        f"require('csv', 'source', 'cloud'); print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@requirement("DOC-01")
def test_the_pages_of_connectors_name_every_option_there_is() -> None:
    of_files = {field.name for field in fields(FileOptions)} - {"of_format", "marks", "on_broken_file"}
    for name, options, more in (("csv", Dialect, of_files), ("postgres", Options, set[str]())):
        assert set(connector(name).options) == {field.name for field in fields(options)} | more, name
