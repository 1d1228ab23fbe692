"""`dativo notify test` against a server that listens, and one that does not."""

from __future__ import annotations

import pytest

from tests.cli.conftest import World
from tests.notify.servers import http_inbox
from tests.support import requirement


@requirement("DQ-13")
def test_a_test_message_goes_by_every_channel_of_the_job_or_by_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_inbox() as inbox:
        monkeypatch.setenv("EXAMPLE_HOOK", f"{inbox.url}/hook")
        monkeypatch.setenv("AIRFLOW_CONN_EXAMPLE_TEAMS", f'{{"conn_type": "http", "password": "{inbox.url}/teams"}}')
        job = world.job.read_text()
        notification = "data_contract: {violation_handling: {notification: {channels: teams}}}\n"
        world.job.write_text(f"{job}notifications: {{ops: {{type: slack, url: '${{EXAMPLE_HOOK}}'}}}}\n{notification}")
        answer = world.dativo("notify", "test", "--config", world.job)
        assert answer.code == 0, answer.err
        assert [got.path for got in inbox.received] == ["/hook", "/teams"]
        assert "test message" in inbox.received[0].json["text"]
        answer = world.dativo("notify", "test", "--config", world.job, "--channel", "ops")
        assert (answer.code, len(inbox.received)) == (0, 3)
        inbox.answers = [(404, {})]
        answer = world.dativo("notify", "test", "--config", world.job, "--channel", "ops")
        assert answer.code == 2
        assert "fail  ops: channel 'ops' refused the message with HTTP 404" in answer.out + answer.err
        answer = world.dativo("notify", "test", "--config", world.job, "--channel", "opps")
        assert answer.code == 2
        assert "ops" in answer.err


@requirement("DQ-13")
def test_a_job_without_channels_is_told_how_to_name_one(world: World) -> None:
    answer = world.dativo("notify", "test", "--config", world.job)
    assert answer.code == 2
    assert "notification.channels" in answer.err
