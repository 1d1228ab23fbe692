"""Embedded defaults are for one machine, and we notice when they are not on one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.lake.home import embedded, guard_plan, guard_settings, home_identity
from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings
from tests.lake.support import Lake, settings


def test_a_home_keeps_its_identity(tmp_path: Path) -> None:
    first = home_identity(settings(tmp_path))
    assert len(first) == 32
    assert home_identity(settings(tmp_path)) == first


def test_another_home_is_noticed_before_anything_is_read(tmp_path: Path) -> None:
    here, there = settings(tmp_path / "here"), settings(tmp_path / "there")
    plan = replace(Lake(here).plan(), home=home_identity(here))
    guard_plan(plan, here)
    with pytest.raises(ConfigurationError) as caught:
        guard_plan(plan, there)
    for name in ("DATIVO_CATALOG_URI", "DATIVO_WAREHOUSE", "DATIVO_STORE_URI"):
        assert name in str(caught.value)


def test_a_distributed_deployment_with_embedded_defaults_is_refused(tmp_path: Path) -> None:
    spread = replace(settings(tmp_path), distributed=True)
    with pytest.raises(ConfigurationError, match="several machines"):
        guard_settings(spread)


def test_shared_places_have_no_home_and_need_none(tmp_path: Path) -> None:
    shared = Settings(
        str(tmp_path),
        CatalogSettings(warehouse="s3://lake", embedded=False),
        StoreSettings(embedded=False),
        distributed=True,
    )
    assert home_identity(shared) == ""
    assert embedded(shared) == ()
    guard_settings(shared)


def test_only_what_is_local_is_asked_for(tmp_path: Path) -> None:
    catalog = CatalogSettings(warehouse="s3://lake", embedded=True)
    spread = Settings(str(tmp_path), catalog, StoreSettings(embedded=False), distributed=True)
    with pytest.raises(ConfigurationError) as caught:
        guard_settings(spread)
    assert "DATIVO_CATALOG_URI" in str(caught.value)
    assert "DATIVO_WAREHOUSE" not in str(caught.value)
