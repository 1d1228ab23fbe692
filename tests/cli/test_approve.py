from __future__ import annotations

import pytest

from tests.cli.conftest import Answer, World
from tests.notify.servers import http_inbox
from tests.support import requirement


@pytest.fixture
def waiting(world: World) -> tuple[World, str]:
    """A run of a job with `publish: branch`, and its id."""
    with world.job.open("a") as file:
        file.write("\ntarget:\n  publish: branch\n")
    ran = world.run("--json").json["streams"][0]
    assert ran["status"] == "awaiting_approval"
    return world, ran["plan_id"]


def decide(world: World, verb: str, plan_id: str) -> Answer:
    return world.dativo(verb, "--config", world.job, "--run", plan_id)


def rows(world: World) -> int:
    return int(world.query("select count(*) as n from orders", "--json").json[0]["n"])


@requirement("MKV-09")
def test_a_run_waits_until_it_is_approved_and_the_next_run_says_so(waiting: tuple[World, str]) -> None:
    world, plan_id = waiting
    assert rows(world) == 0
    branch = world.query("select count(*) as n from orders", "--json", "--as-of", f"audit_{plan_id}")
    assert branch.json == [{"n": 4}]
    again = world.run()
    assert again.code == 2
    assert f"dativo approve (or reject) --config {world.job} --run {plan_id}" in again.out + again.err
    approved = decide(world, "approve", plan_id)
    assert approved.code == 0, approved.err
    assert "committed: 4 rows" in approved.out
    assert rows(world) == 4
    assert "already" in decide(world, "approve", plan_id).out
    assert world.run("--json").json["streams"][0]["status"] == "nothing_new"
    statuses = {record["plan_id"]: record["status"] for record in world.dativo("runs", "--json").json}
    assert statuses[plan_id] == "published"


@requirement("MKV-09")
def test_a_rejected_run_leaves_nothing_and_the_next_reads_again(waiting: tuple[World, str]) -> None:
    world, plan_id = waiting
    rejected = decide(world, "reject", plan_id)
    assert rejected.code == 0, rejected.err
    assert "2 files removed" in rejected.out
    assert world.dativo("runs", "--json").json[0]["status"] == "rejected"
    assert rows(world) == 0
    again = world.run("--json").json["streams"][0]
    assert again["status"] == "awaiting_approval"
    assert decide(world, "approve", again["plan_id"]).code == 0
    assert rows(world) == 4


def test_a_run_that_does_not_wait_is_refused(waiting: tuple[World, str]) -> None:
    world, plan_id = waiting
    assert "there is no run" in decide(world, "approve", "nothing").err
    assert decide(world, "reject", plan_id).code == 0
    assert decide(world, "reject", plan_id).code == 0, "the first may have died before it was told"
    assert decide(world, "approve", plan_id).code == 2
    again = world.run("--json").json["streams"][0]["plan_id"]
    assert decide(world, "approve", again).code == 0
    refused = decide(world, "reject", again)
    assert (refused.code, "does not wait" in refused.err) == (2, True)


@requirement("MKV-09")
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_decided_is_in_the_record(waiting: tuple[World, str], verb: str) -> None:
    world, plan_id = waiting
    assert world.dativo(verb, "--config", world.job, "--run", plan_id, "--by", "Ada").code == 0
    world.dativo(verb, "--config", world.job, "--run", plan_id, "--by", "Bob")
    records = {record["plan_id"]: record for record in world.dativo("runs", "--json").json}
    assert records[plan_id]["decided_by"] == "Ada"


TELLS = """
notifications:
  ops: {{type: webhook, url: "{url}"}}
data_contract:
  violation_handling: {{notification: {{channels: [ops]}}}}
alert_rules:
  - {{name: rows came, condition: "rows_accepted > 1", channel: ops}}
"""


@requirement("MKV-09", "DQ-13", "DQ-14")
def test_people_are_told_once_a_person_has_approved_and_not_before(waiting: tuple[World, str]) -> None:
    world, plan_id = waiting
    assert decide(world, "reject", plan_id).code == 0
    with http_inbox() as inbox:
        with world.job.open("a") as file:
            file.write(TELLS.format(url=inbox.url))
        again = world.run("--json").json["streams"][0]
        assert again["status"] == "awaiting_approval"
        assert inbox.received == [], "nobody can see these rows yet"
        assert decide(world, "approve", again["plan_id"]).code == 0
        told = [notice["title"] for got in inbox.received for notice in got.json["notices"]]
        assert "rows came" in told
        assert len(told) > 1, "the violations are told as well"
        assert decide(world, "approve", again["plan_id"]).code == 0
        assert len([notice for got in inbox.received for notice in got.json["notices"]]) == len(told)


@requirement("MKV-09")
def test_rows_too_old_for_the_contract_fail_when_they_are_approved_and_not_before(world: World) -> None:
    with world.job.open("a") as file:
        file.write("\ntarget:\n  publish: branch\ndata_contract:\n  quality_checks:\n")
        file.write("    - {type: freshness, column: ordered_at, max_age_hours: 1}\n")
    ran = world.run("--json").json["streams"][0]
    assert (ran["status"], ran["error"]) == ("awaiting_approval", {})
    approved = decide(world, "approve", ran["plan_id"])
    assert (approved.code, "committed: 4 rows" in approved.out) == (2, True)
    assert "the rows are published, but the run fails" in approved.err
    assert rows(world) == 4
