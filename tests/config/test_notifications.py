"""Channels of a job: by word, declared, from the contract or the policy, and mistakes in them."""

from __future__ import annotations

import pytest

from dativo_provider.model.notices import ChannelSpec
from tests.config.support import JOB, Deployment
from tests.support import requirement


def told(text: str) -> str:
    return f"{JOB}data_contract: {{violation_handling: {{notification: {{{text}}}}}}}\n"


@requirement("DQ-13")
def test_a_word_is_a_channel_by_the_tenants_connection_of_that_name(deployment: Deployment) -> None:
    job = deployment.load(told("channels: [slack, email], recipients: [a@b.c], mention_on_critical: true, window: 6h"))
    assert job.notification.channels == (
        ChannelSpec("slack", "slack", "acme_slack"),
        ChannelSpec("email", "email", "acme_email", recipients=("a@b.c",)),
    )
    assert (job.notification.mention, job.notification.window_seconds) == ("<!channel>", 21_600)


@requirement("DQ-13")
def test_declared_channels_come_from_the_tenants_defaults(deployment: Deployment) -> None:
    deployment.write(
        "tenants/acme/defaults.yaml",
        """\
        notifications:
          ops: {type: slack, url: "${SECRET:OPS_HOOK}", channel: "#ops"}
          pagerduty: {connection_id: acme_oncall}
        """,
    )
    job = deployment.load(told("channels: [ops, pagerduty]"))
    assert job.notification.channels == (
        ChannelSpec("ops", "slack", "", "${SECRET:OPS_HOOK}", "#ops"),
        ChannelSpec("pagerduty", "pagerduty", "acme_oncall"),
    )
    assert job.warnings == ()


@requirement("DQ-13", "DQ-18")
def test_whom_to_tell_may_stand_in_the_policy(deployment: Deployment) -> None:
    deployment.write("policy.yaml", "policy: {violation_handling: {notification: {channels: teams}}}\n")
    assert [each.name for each in deployment.load().notification.channels] == ["teams"]
    assert [each.name for each in deployment.load(told("channels: slack")).notification.channels] == ["slack"]


@requirement("DQ-13", "CFG-10")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (told("channels: [slakc]"), "there is no channel 'slakc'"),
        (told("channels: [email]"), "channel 'email' has no recipients"),
        (told("channels: slack, template: '{violation_list}'"), "'{violation_list}' is not replaced"),
        (told("channels: slack, template: '{tenant_id.x}'"), "'{tenant_id.x}' is not replaced"),
        (told("channels: slack, template: '{'"), "brace"),
        (JOB + "notifications: {ops: {}}\n", "channel 'ops' has no type"),
        (JOB + "notifications: {slack: {connection_id: globex_slack}}\n", "not one of tenant 'acme'"),
        (JOB + "notifications: {slack: {url: 'https://hooks.slack.com/services/T/B/x'}}\n", "a secret stands"),
        (JOB + "notifications: {slack: {url: '${AWS_SECRET}'}}\n", "variable 'AWS_SECRET' is not allowed"),
        (JOB + "notifications: {chat: {type: airflow}}\n", "only one of the type airflow and a notifier"),
        (JOB + "notifications: {chat: {type: airflow, notifier: a.B, arguments: {slack_conn_id: globex_chat}}}\n",
         "connection 'globex_chat' is not one of tenant 'acme'"),
    ],
)  # fmt: skip
def test_mistakes_are_found_before_anything_runs(deployment: Deployment, text: str, message: str) -> None:
    assert message in deployment.only_error(text).message


@requirement("DQ-13")
def test_a_notifier_of_airflow_is_a_channel_with_its_arguments(deployment: Deployment) -> None:
    chat = "{type: airflow, notifier: a.b.C, arguments: {text: '{title}', slack_conn_id: acme_chat}}"
    job = deployment.load(f"{told('channels: chat')}notifications: {{chat: {chat}}}\n")
    arguments = '{"text": "{title}", "slack_conn_id": "acme_chat"}'
    assert job.notification.channels == (ChannelSpec("chat", "airflow", notifier="a.b.C", arguments=arguments),)
