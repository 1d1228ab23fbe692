"""`dativo sla` over the runs of the example job."""

from __future__ import annotations

from tests.cli.conftest import World
from tests.support import requirement


@requirement("DQ-02")
def test_the_promises_of_a_job_are_shown_and_a_broken_one_fails_the_command(world: World) -> None:
    answer = world.dativo("sla", "--config", world.job)
    assert (answer.code, "promises nothing" in answer.out + answer.err) == (0, True)
    world.job.write_text(world.job.read_text() + "data_contract: {sla: {availability: {uptime_percentage: 99}}}\n")
    world.run()
    (kept,) = world.dativo("sla", "--config", world.job, "--json").json
    assert (kept["promise"], kept["actual"], kept["outcome"]) == ("availability", 100, "passed")
    world.job.write_text(
        world.job.read_text().replace(
            "{availability: {uptime_percentage: 99}}", "{freshness: {max_age_hours: 0.000001}}"
        )
    )
    answer = world.dativo("sla", "--config", world.job)
    assert answer.code == 2
    assert "failed" in answer.out
