from __future__ import annotations

from pathlib import Path

import dativo_provider
from tests.cli.conftest import Command, World
from tests.support import requirement

ROOT = Path(dativo_provider.__file__).parents[1]


def test_init_writes_the_loader_and_a_working_example(world: World) -> None:
    written = {str(path.relative_to(world.folder / "dags")) for path in (world.folder / "dags").rglob("*.*")}
    assert written == {
        "dativo_loader.py",
        "tenants/example/tenant.yaml",
        "tenants/example/jobs/orders.yaml",
        "tenants/example/contracts/orders.odcs.yaml",
        "tenants/example/data/orders.csv",
    }


def test_what_init_writes_validates_and_runs(world: World) -> None:
    found = world.dativo("validate", world.folder / "dags")
    assert found.code == 0, found.out
    assert world.run().code == 1  # two of the example's rows are broken on purpose
    assert world.query("select count(*) as n from orders", "--json").json == [{"n": 4}]


def test_init_never_writes_over_files_unless_told_to(world: World) -> None:
    world.job.write_text("mine")
    refused = world.dativo("init", world.folder / "dags")
    assert refused.code == 2
    assert "would write over" in refused.err
    assert "--force" in refused.err
    assert world.job.read_text() == "mine"
    assert world.dativo("init", world.folder / "dags", "--force").code == 0
    assert world.job.read_text() != "mine"


def test_init_says_what_to_do_next(dativo: Command, tmp_path: Path) -> None:
    assert "dativo run --config" in dativo("init", tmp_path / "new").out
    assert dativo("init", tmp_path / "other", "--quiet").out == ""


@requirement("CFG-01")
def test_the_loader_is_the_one_of_the_dags_folder(world: World) -> None:
    assert (world.folder / "dags" / "dativo_loader.py").read_text() == (ROOT / "dags" / "dativo_loader.py").read_text()
