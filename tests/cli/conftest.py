"""A small world of one example job, as `dativo init` writes it, and the command to work in it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.cli.main import main


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Command:
    """`dativo` in this process; usage errors are answers too."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str | Path) -> Answer:
        self.capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = int(str(stop.code or 0))
        return Answer(code, *self.capsys.readouterr())


@dataclass
class World:
    folder: Path
    dativo: Command

    @property
    def tenant(self) -> Path:
        return self.folder / "dags" / "tenants" / "example"

    @property
    def job(self) -> Path:
        return self.tenant / "jobs" / "orders.yaml"

    @property
    def contract(self) -> Path:
        return self.tenant / "contracts" / "orders.odcs.yaml"

    @property
    def data(self) -> Path:
        return self.tenant / "data"

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, *words: str) -> Answer:
        return self.dativo("run", "--config", self.job, *words)

    def query(self, sql: str, *words: str) -> Answer:
        return self.dativo("query", "--config", self.job, *words, sql)


@pytest.fixture
def own_logs() -> Iterator[None]:
    """What a command does to this process's logging (as importing Airflow does) ends with the test."""
    loggers = [logging.getLogger(name) for name in ("", "dativo", "dativo_provider", "dag_factory")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.fixture
def dativo(
    own_logs: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Command:
    for name in os.environ:
        if name.startswith(("DATIVO_", "AIRFLOW__DATIVO__", "AIRFLOW_CONN_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DATIVO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


@pytest.fixture
def world(dativo: Command, tmp_path: Path) -> World:
    assert dativo("init", tmp_path / "dags").code == 0
    return World(tmp_path, dativo)
