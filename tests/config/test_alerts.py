"""Alert rules of a job: whom they tell, and names that nothing has."""

from __future__ import annotations

import pytest

from dativo_provider.model.notices import ChannelSpec
from tests.config.support import JOB, Deployment
from tests.support import requirement


def rule(text: str) -> str:
    return f"{JOB}alert_rules:\n  - {{name: spike, {text}}}\n"


@requirement("DQ-14", "TAG-09", "CFG-10")
def test_the_rule_of_the_seed_posts_to_its_slack_channel(deployment: Deployment) -> None:
    text = """\
transformations:
  - {name: calculate_daily_cost, type: sql, expression: "SUM(amount) OVER (PARTITION BY country)"}
alert_rules:
  - name: high_cost_spike
    condition: "daily_cost > avg_cost_7d * 1.5"
    action: slack_notification
    channel: "#finops-alerts"
"""
    (alert,) = deployment.load(JOB + text).alerts
    assert alert.channels == (ChannelSpec("slack", "slack", "acme_slack", channel="#finops-alerts"),)
    assert (alert.name, alert.severity, alert.window_seconds) == ("high_cost_spike", "warning", 86_400)


@requirement("DQ-14")
def test_a_rule_may_name_a_declared_channel_either_way(deployment: Deployment) -> None:
    declared = "notifications: {ops: {type: webhook, connection_id: acme_hook}}\n"
    for text in ("action: ops", "channel: ops", "channel: ops, action: slack_notification"):
        job = deployment.load(rule(f"condition: rows_accepted == 0, {text}") + declared)
        assert [each.name for each in job.alerts[0].channels] == ["ops"]
    mail = deployment.load(rule("condition: rows_accepted == 0, action: email, recipients: a@b.c, severity: critical"))
    assert (mail.alerts[0].channels[0].recipients, mail.alerts[0].severity) == (("a@b.c",), "error")


@requirement("DQ-14")
@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("condition: amont > 1, action: slack", "nothing is called 'amont'", "amount"),
        ("condition: amount > avg_amont_7d, action: slack", "nothing is called 'avg_amont_7d'", "avg_amount_7d"),
        ("condition: country > 1, action: slack", "'country' is string, not a number", "count(country)"),
        ("condition: amount, action: slack", "a number, not a comparison", ""),
        ("condition: amount > 1", "is told nobody", "action"),
        ("condition: amount > 1, action: pigeon", "there is no channel 'pigeon'", ""),
        ("condition: amount > 1, action: email", "has no recipients", ""),
    ],
)
def test_mistakes_are_found_before_anything_runs(deployment: Deployment, text: str, message: str, remedy: str) -> None:
    found = deployment.only_error(rule(text))
    assert message in found.message
    assert remedy in found.remedy
