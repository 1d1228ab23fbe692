from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from dativo_provider.config import plugged
from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities
from tests.config.support import JOB, Deployment
from tests.support import requirement

WEATHER = ConnectorInfo(
    "weather", ("source",), "saas", "Weather stations", Capabilities(allowed_in_cloud=False), reader="somewhere:Reader"
)
WEATHER_JOB = JOB.replace("source_connector: postgres", "source_connector: weather").replace("tables:", "objects:")


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    points = {
        "weather": EntryPoint("weather", f"{__name__}:WEATHER", plugged.ENTRY_POINT_GROUP),
        "broken": EntryPoint("broken", "there_is_no_such_module:X", plugged.ENTRY_POINT_GROUP),
    }
    monkeypatch.setattr(plugged, "entry_points", lambda group, name: [points[name]] if name in points else [])
    plugged.plugged_in.cache_clear()
    yield
    plugged.plugged_in.cache_clear()


@requirement("CFG-05", "CFG-11")
@pytest.mark.usefixtures("declared")
def test_a_connector_of_another_distribution_is_found_by_name(deployment: Deployment) -> None:

    assert deployment.load(WEATHER_JOB).unsupported == ()


@requirement("CFG-15")
@pytest.mark.usefixtures("declared")
def test_its_cloud_permission_holds(deployment: Deployment) -> None:
    assert "not allowed in cloud mode" in deployment.only_error(WEATHER_JOB, mode="cloud").message


@pytest.mark.usefixtures("declared")
def test_one_that_cannot_be_imported_says_which_to_repair(deployment: Deployment) -> None:
    found = deployment.only_error(WEATHER_JOB.replace("weather", "broken"))
    assert "connector plugin 'broken' (there_is_no_such_module:X) cannot be imported" in found.message
    assert found.remedy
