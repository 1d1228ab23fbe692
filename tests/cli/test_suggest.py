"""A contract proposed from rows: it is valid, holds on the rows it was made from, and says what it would have cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from dativo_provider.quality.profile.model import ColumnProfile, Profile
from dativo_provider.quality.suggest import suggest
from tests.cli.conftest import Command, World
from tests.support import requirement


def shop(path: Path, **changed: list[Any]) -> Path:
    rows = {
        "id": list(range(60)),
        "status": ["open", "paid", "void"] * 20,
        "cost": [10.0 + n for n in range(60)],
        "balance": [-5.0 + n for n in range(60)],
        "email": [f"user{n}@example.org" for n in range(60)],
        "note": [None if n % 3 else f"note {n}" for n in range(60)],
    }
    pq.write_table(pa.table(rows | changed), path)
    return path


def proposed(dativo: Command, data: Path) -> dict[str, Any]:
    path = data.with_suffix(".odcs.yaml")
    done = dativo("contract", "suggest", data, "--output", path)
    assert done.code == 0, done.err
    return {column["name"]: column for column in yaml.safe_load(path.read_text())["schema"][0]["properties"]}


@requirement("DQ-12")
def test_rules_follow_the_rows_and_hold_on_them(dativo: Command, tmp_path: Path) -> None:
    columns = proposed(dativo, shop(tmp_path / "shop.parquet"))
    assert columns["id"]["required"] is True
    assert columns["id"]["quality"][0]["metric"] == "duplicateValues"
    assert columns["status"]["quality"][0]["arguments"] == {"validValues": ["open", "paid", "void"]}
    assert columns["cost"]["logicalTypeOptions"] == {"minimum": 0, "maximum": 75}
    assert columns["balance"]["logicalTypeOptions"]["minimum"] < -5
    assert "required" not in columns["note"]
    assert columns["note"]["quality"][0]["metric"] == "nullValues"
    assert dativo("validate", tmp_path / "shop.odcs.yaml").code == 0
    checked = dativo("check-data", tmp_path / "shop.odcs.yaml", tmp_path / "shop.parquet", "--json")
    assert checked.json["verdict"]["decision"] == "pass", checked.json["verdict"]["reasons"]
    worse = shop(tmp_path / "worse.parquet", cost=[-1.0] * 5 + [20.0] * 55, status=["lost"] * 60, id=[1] * 60)
    failed = dativo("check-data", tmp_path / "shop.odcs.yaml", worse, "--json").json["verdict"]["results"]
    assert len([result for result in failed if result["outcome"] == "failed"]) == 3


def test_a_column_about_persons_is_classified_and_shows_no_value(dativo: Command, tmp_path: Path) -> None:
    columns = proposed(dativo, shop(tmp_path / "shop.parquet"))
    assert columns["email"]["classification"] == "personal"
    assert "example.org" not in (tmp_path / "shop.odcs.yaml").read_text()


def test_a_contract_that_is_there_is_not_written_over(dativo: Command, tmp_path: Path) -> None:
    proposed(dativo, shop(tmp_path / "shop.parquet"))
    again = dativo("contract", "suggest", tmp_path / "shop.parquet", "--output", tmp_path / "shop.odcs.yaml")
    assert again.code == 2
    assert "is there already" in again.err


def test_a_bound_says_how_many_known_runs_would_have_broken_it() -> None:
    column = ColumnProfile("cost", "double", min=1.0, max=9.0, mean=5.0)
    history = {"rows_accepted": [100.0, 90.0, 110.0, 0.0], "null_share(cost)": [0.0, 0.1, 0.0, 0.0], "max(cost)": [8.0]}
    made = {each.why: each for each in suggest(Profile(50, (column,)), lambda name: history.get(name, []))}
    assert (made["45 to 220 rows"].failed, made["45 to 220 rows"].runs) == (1, 4)
    assert "would have failed in 1 of 4 known runs" in str(made["never NULL"])
    assert suggest(Profile(5, (column,)), lambda _: []) == []


def test_a_job_has_its_history_looked_at(world: World) -> None:
    rows = "".join(f"{n},a{n}@example.com,{n}.50,2026-01-02T00:00:00Z\n" for n in range(40))
    (world.data / "orders.csv").write_text(f"id,email,amount,ordered_at\n{rows}")
    world.run()
    done = world.dativo("contract", "suggest", world.job, "--json")
    assert done.code == 0, done.err
    texts = [each["text"] for each in done.json["suggestions"]]
    assert any(text.startswith("amount: 0 to 44") and "no run is known yet" in text for text in texts), texts
    assert "@" not in done.out
