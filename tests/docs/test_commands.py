"""The commands of the pages on state, versions and the inbox, run in order on the example job."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import Command, World, dativo, own_logs, world  # noqa: F401 - fixtures
from tests.docs.pages import ROOT, blocks
from tests.support import requirement


def commands(page: str) -> list[list[str]]:
    found = [block.body for block in blocks(ROOT / "docs" / page) if block.tag == "sh"]
    lines = [line for body in found for line in body.splitlines() if line.startswith("dativo ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def deliver(world: World) -> None:  # noqa: F811
    lines = (world.data / "orders.csv").read_text().splitlines()
    (world.data / "more.csv").write_text("\n".join(lines[:2]).replace("\n1,", "\n77,") + "\n")
    assert world.run().code == 0


@requirement("DOC-01", "DQ-01")
def test_every_command_of_the_page_on_contracts_runs(tmp_path: Path, dativo: Command) -> None:  # noqa: F811
    found = list(blocks(ROOT / "docs" / "contracts.md"))
    contract = next(block.body for block in found if "orders.odcs.yaml" in block.body.splitlines()[0])
    (tmp_path / "orders.odcs.yaml").write_text(contract, encoding="utf-8")
    now = datetime.now(UTC).isoformat()
    (tmp_path / "orders.csv").write_text(f"id,state,email,amount,updated_at\n1,new,a@b.c,2.5,{now}\n", encoding="utf-8")
    lines = [line for block in found if block.tag == "bash" for line in block.body.splitlines()]
    for line in lines:
        answer = dativo(*shlex.split(line)[1:])
        assert answer.code == 0, (line, answer.err)
    assert len(lines) == 12


@requirement("DOC-01")
@pytest.mark.parametrize("page", ["state.md", "versions.md", "quarantine.md"])
def test_every_command_of_the_page_runs(page: str, world: World) -> None:  # noqa: F811
    world.run()
    made = world.dativo("snapshots", "--config", world.job, "--json").json[0]["snapshots"][0]["at"]
    named = {"JOB.yaml": str(world.job), "2026-11-01T00:00:00": made}
    for words in commands(page):
        if {"RUN", "audit_RUN"} & set(words) or words[:2] == ["state", "set"]:
            continue  # need a run that waits, or a cursor column: tests/cli/test_approve.py and test_state.py
        if words[0] == "rollback":
            deliver(world)
        answer = world.dativo(*(named.get(word, word) for word in words))
        assert answer.code == 0, (words, answer.err)
