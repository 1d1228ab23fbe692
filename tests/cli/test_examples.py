"""Every example job that this version can execute runs, and comes to what its comment says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import dativo_provider
from tests.cli.conftest import Command
from tests.support import requirement

ROOT = Path(dativo_provider.__file__).parents[1]
SHOP = "tenants/shop/jobs"


@pytest.fixture
def examples(dativo: Command, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples" / "dags", tmp_path / "dags"))


@requirement("REG-15", "DOC-01")
@pytest.mark.parametrize(
    ("job", "words", "code", "accepted"),
    [
        ("flat_prices.yaml", (), 0, 3),
        (f"{SHOP}/sensors.yaml", (), 1, 5),
        (f"{SHOP}/sensors.yaml", ("--environment", "dev"), 0, 3),
        (f"{SHOP}/inline_checks.yaml", (), 0, 3),
    ],
)
def test_examples_run(
    job: str, words: tuple[str, ...], code: int, accepted: int, examples: Path, dativo: Command
) -> None:
    ran = dativo("run", "--json", "--config", examples / job, *words)
    assert ran.code == code, ran.err
    assert ran.json["streams"][0]["books"]["accepted"] == accepted


def test_the_customers_of_the_shop_are_replaced_by_every_run(dativo: Command, tmp_path: Path) -> None:
    for name in ("dags", "include"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.gz", "__pycache__"))
    job = tmp_path / "dags" / "tenants" / "acme" / "jobs" / "customers.yaml"
    for _ in range(2):
        assert dativo("run", "--config", job).code == 0
    asked = dativo("query", "--json", "--config", job, "select count(*) as n from customers")
    assert asked.json == [{"n": 1000}]
