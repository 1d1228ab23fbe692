"""A package that a job names has an environment of its own, called by its name and version."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.envs import make
from dativo_provider.envs.packages import command, environments, package_recipe
from dativo_provider.envs.place import drift
from dativo_provider.envs.recipe import Recipe
from dativo_provider.errors import ConfigurationError
from tests.connectors.bridge.support import an_environment
from tests.envs.support import a_wheel


@pytest.fixture
def envs(tmp_path: Path) -> Path:
    script = tmp_path / "script.py"
    script.write_text("")
    for version in ("1.0", "2.0"):
        an_environment(tmp_path / "envs", f"Tap_Shop=={version}", "tap-shop", script)
    return an_environment(tmp_path / "envs", "tap-one==3", "tap-one", script)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("tap-shop==1.2.3", "tap-shop-1.2.3"),
        ("Tap_Shop == 1.2.3", "tap-shop-1.2.3"),
        ("tap-shop[s3,gcs]==1.0", "tap-shop-s3-gcs-1.0"),
        ("tap-shop @ git+https://example.com/tap@v1", "tap-shop-164e3a130f"),
    ],
)
def test_the_name_of_an_environment_says_what_is_in_it(written: str, name: str) -> None:
    assert package_recipe(written).name == name


@pytest.mark.parametrize("written", ["tap-shop", "tap-shop>=1", "-e ../evil==1", "tap-shop==1 --index-url x", "==1"])
def test_what_is_not_pinned_is_refused(written: str) -> None:
    with pytest.raises(ConfigurationError, match="names no version"):
        package_recipe(written)


def test_a_command_is_found_by_package_and_version(envs: Path) -> None:
    assert command(envs, "tap-shop==2.0", "tap-shop") == envs / "tap-shop-2.0" / "bin" / "tap-shop"
    assert command(envs, "tap-one", "tap-one") == envs / "tap-one-3" / "bin" / "tap-one"
    assert [each.name for each in environments(envs)] == ["tap-one-3", "tap-shop-1.0", "tap-shop-2.0"]


@pytest.mark.parametrize(
    ("requirement", "name", "said"),
    [
        ("tap-shop", "tap-shop", "name its version: Tap_Shop 1.0, Tap_Shop 2.0"),
        ("tap-shop==9", "tap-shop", "dativo env create 'tap-shop==9'"),
        ("tap-two", "tap-two", "dativo env create 'tap-two==VERSION'"),
        ("tap-one", "tap-two", "one of its commands: tap-one"),
        ("tap-one", "../../evil", "one of its commands"),
        ("tap-one", "/bin/sh", "one of its commands"),
    ],
)
def test_what_is_not_there_is_told_with_the_way_to_it(envs: Path, requirement: str, name: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        command(envs, requirement, name)
    assert said in str(caught.value)


@pytest.mark.parametrize(("source", "works"), [("def main(): ...\n", True), ("import nothing_of_that_name\n", False)])
def test_an_environment_whose_commands_do_not_load_is_not_put_in_place(
    tmp_path: Path, source: str, works: bool
) -> None:
    wheel = a_wheel(tmp_path / "wheels", "tap_gauge", source=source, commands={"tap-gauge": "tap_gauge:main"})
    recipe = Recipe("tap-gauge-1.0", "tap-gauge 1.0", (str(wheel),), (), package="tap-gauge")
    if works:
        make.create(tmp_path / "envs", recipe)
        assert (tmp_path / "envs" / "tap-gauge-1.0" / "bin" / "tap-gauge").is_file()
    else:
        with pytest.raises(ConfigurationError, match="nothing_of_that_name"):
            make.create(tmp_path / "envs", recipe)
        assert drift(tmp_path / "envs", recipe) == ["it has not been made"]
