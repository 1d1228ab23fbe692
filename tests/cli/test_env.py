"""`dativo env`: what an operator types when an image is built."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dativo_provider.cli.main import main
from dativo_provider.envs import recipes
from tests.envs.support import a_recipe, a_wheel


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(recipes, "RECIPES", {"gauge": a_recipe(a_wheel(tmp_path / "wheels"))})
    monkeypatch.setenv("DATIVO_ENVS", str(tmp_path / "envs"))
    return tmp_path / "envs"


def test_an_environment_is_made_listed_checked_and_removed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "create", "gauge"]) == 0
    assert main(["env", "check", "gauge"]) == 0
    assert "gauge: as it was made" in capsys.readouterr().out
    assert main(["env", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gauge"]["versions"]["gauge"] == "1.0"
    assert main(["env", "remove", "gauge"]) == 0
    assert main(["env", "check", "gauge"]) == 2
    assert "dativo env create gauge" in capsys.readouterr().out


def test_a_task_makes_none(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("AIRFLOW_CTX_DAG_ID", "acme.orders")
    assert main(["env", "create", "gauge"]) == 2
    assert "not made inside a task" in capsys.readouterr().err
    assert not folder.exists()


def test_a_name_without_a_recipe_is_refused_with_those_that_have_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["env", "create", "sodo"]) == 2
    assert "use one of gauge" in capsys.readouterr().err
