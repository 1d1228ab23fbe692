"""The example of the page on transformations, run as it stands."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Command, dativo, own_logs  # noqa: F401 - fixtures
from tests.docs.pages import ROOT, blocks
from tests.docs.test_examples import KINDS, place
from tests.support import requirement

PAGE = ROOT / "docs" / "transformations.md"


@requirement("DOC-01", "ING-16")
def test_the_example_publishes_what_the_page_shows(dativo: Command, tmp_path: Path) -> None:  # noqa: F811
    shown = []
    for block in blocks(PAGE):
        where = place(block) if block.tag in KINDS else block.tag.removeprefix("csv ")
        if block.tag in KINDS or block.tag.startswith("csv "):
            path = tmp_path / where
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
        elif block.tag == "json rows":
            shown = json.loads(block.body)
    job = tmp_path / "tenants" / "acme" / "jobs" / "orders.yaml"
    answer = dativo("run", "--config", job)
    assert answer.code == 0, answer.err
    sql = "SELECT id, country_name, CAST(amount_eur AS VARCHAR) AS amount_eur FROM orders ORDER BY id"
    found = dativo("query", "--config", job, "--json", sql)
    assert found.code == 0, found.err
    assert found.json == shown
