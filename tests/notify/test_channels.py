"""Every channel against a server of its own: what arrives, and what happens when nobody answers."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from email import message_from_string
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from airflow.sdk import DAG, BaseNotifier

from dativo_provider.errors import ConfigurationError, RetryableError
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.notices import ChannelSpec, Notice, NotificationSpec
from dativo_provider.model.settings import Settings
from dativo_provider.notifications.dativo import DativoNotifier
from dativo_provider.notify import CHANNELS, compose, open_channel, send
from tests.notify.servers import Inbox, http_inbox, mail_inbox
from tests.support import requirement

AT = "2026-11-22T03:00:00+00:00"
FACTS = {"contract_name": "orders", "contract_version": "1.2.0", "run_id": "r1", "quarantine_path": "acme.q"}
WRONG = (Notice("id.unique", "id is unique", "3 rows too many"), Notice("late", "fresh <b>", "2 h old", "warning"))
OVER = (Notice("id.unique", "id is unique", resolved=True),)


class Known:
    """Connections and secrets of one test."""

    def __init__(self, connection: Connection | None = None, **secrets: str) -> None:
        self._connection, self._secrets = connection, secrets

    def get(self, *names: str) -> Any:
        return self._secrets[names[1]] if len(names) == 2 else self._connection


def message(notices: Any = WRONG, **spec: Any) -> Any:
    return compose(notices, NotificationSpec(**spec), ("acme", "shop", "orders"), AT, FACTS)


def deliver(spec: ChannelSpec, connection: Connection | None = None, what: Any = None, **secrets: str) -> None:
    ctx = RunContext(Settings("/nowhere"), Known(**secrets), Known(connection))
    open_channel(spec, "acme", (), ctx).send(what or message())


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with http_inbox() as found:
        yield found


@pytest.fixture
def mails() -> Iterator[Inbox]:
    with mail_inbox() as found:
        yield found


@requirement("DQ-13")
def test_slack_gets_one_message_for_all_that_is_wrong_and_nobody_is_mentioned_by_accident(inbox: Inbox) -> None:
    spec = ChannelSpec("slack", "slack", url="${SECRET:hook}", channel="#finops-alerts")
    deliver(spec, what=message(mention="<!channel>"), hook=f"{inbox.url}/services/T0/B0/xyz")
    (got,) = inbox.received
    assert got.path == "/services/T0/B0/xyz"
    assert got.json["channel"] == "#finops-alerts"
    head, body = (block["text"]["text"] for block in got.json["blocks"])
    assert head == "<!channel> *acme.shop orders: 2 checks and alerts need attention*"
    assert "- id is unique: 3 rows too many\n- fresh &lt;b&gt;: 2 h old" in body
    assert "contract: orders 1.2.0" in body


@requirement("DQ-13")
@pytest.mark.parametrize("whole", [True, False])
def test_a_slack_webhook_connection_holds_its_path_or_its_whole_url(inbox: Inbox, whole: bool) -> None:
    url = f"{inbox.url}/T0/B0/xyz"
    known = Connection("slackwebhook", password=url) if whole else Connection(
        "slackwebhook", host=inbox.url, password="T0/B0/xyz"
    )  # fmt: skip
    deliver(ChannelSpec("slack", "slack", "acme_slack"), known)
    assert [got.path for got in inbox.received] == ["/T0/B0/xyz"]


@requirement("DQ-13")
def test_a_slack_bot_posts_by_the_api_and_its_refusal_is_one(inbox: Inbox) -> None:
    known = Connection("slack", password="xoxb-secret", extra={"base_url": f"{inbox.url}/api"})
    spec = ChannelSpec("slack", "slack", "acme_slack", channel="#x")
    inbox.body = b'{"ok": true}'
    deliver(spec, known)
    assert inbox.received[0].path == "/api/chat.postMessage"
    assert inbox.received[0].headers["Authorization"] == "Bearer xoxb-secret"
    inbox.body = b'{"ok": false, "error": "not_in_channel"}'
    with pytest.raises(ConfigurationError, match="not_in_channel") as refused:
        deliver(spec, known)
    assert "xoxb-secret" not in str(refused.value)


@requirement("DQ-13")
def test_pagerduty_opens_an_incident_per_check_and_resolves_it_by_the_same_key(inbox: Inbox) -> None:
    known = Connection("pagerduty_events", password="key", extra={"events_url": f"{inbox.url}/v2/enqueue"})
    spec = ChannelSpec("pagerduty", "pagerduty", "acme_pagerduty")
    deliver(spec, known)
    deliver(spec, known, message(OVER))
    first, second, resolved = (got.json for got in inbox.received)
    assert (first["event_action"], first["dedup_key"]) == ("trigger", "acme/shop/orders/id.unique")
    assert first["payload"]["severity"] == "error"
    assert (second["dedup_key"], second["payload"]["severity"]) == ("acme/shop/orders/late", "warning")
    assert first["routing_key"] == "key"
    assert resolved == {"routing_key": "key", "event_action": "resolve", "dedup_key": "acme/shop/orders/id.unique"}


@requirement("DQ-13")
def test_teams_gets_a_card(inbox: Inbox) -> None:
    deliver(ChannelSpec("teams", "teams", url=f"{inbox.url}/hook"))
    (attachment,) = inbox.received[0].json["attachments"]
    title, *lines = attachment["content"]["body"]
    assert (title["color"], lines[0]["text"]) == ("Attention", "- id is unique: 3 rows too many")


@requirement("DQ-13")
def test_a_webhook_gets_json_that_it_can_trust(inbox: Inbox) -> None:
    deliver(ChannelSpec("hook", "webhook", "acme_hook"), Connection("http", inbox.url, password="shared"))
    (got,) = inbox.received
    digest = hmac.new(b"shared", got.raw, hashlib.sha256).hexdigest()
    assert got.headers["X-Dativo-Signature"] == f"sha256={digest}"
    assert (got.json["event"], got.json["run"], got.json["contract_name"]) == ("firing", "r1", "orders")
    assert got.json["notices"][0]["dedup_key"] == "acme/shop/orders/id.unique"


@requirement("DQ-13")
def test_an_e_mail_arrives_with_subject_sender_and_text(mails: Inbox) -> None:
    known = Connection("smtp", mails.host, mails.port, "me", "pass", extra={"disable_ssl": True, "disable_tls": True})
    deliver(ChannelSpec("email", "email", "acme_email", recipients=("a@b.c", "d@e.f"), sender="dq@acme.org"), known)
    mail = message_from_string(mails.mails[0])
    assert (mail["To"], mail["From"]) == ("a@b.c, d@e.f", "dq@acme.org")
    assert mail["Subject"] == "acme.shop orders: 2 checks and alerts need attention"
    assert "id is unique: 3 rows too many" in mail.get_payload()
    assert len(mails.logins) == 1


@requirement("DQ-13")
def test_mail_that_is_refused_says_so_and_a_dead_server_too(mails: Inbox) -> None:
    mails.refuse = True
    plain = {"disable_ssl": True, "disable_tls": True}
    spec = ChannelSpec("email", "email", "acme_email", recipients=("a@b.c",), sender="x@y.z")
    with pytest.raises(ConfigurationError, match="refused the message"):
        deliver(spec, Connection("smtp", mails.host, mails.port, extra=plain))
    with pytest.raises(RetryableError, match="did not take the message"):
        deliver(spec, Connection("smtp", "127.0.0.1", 1, extra=plain))


@requirement("DQ-13")
def test_a_busy_service_is_asked_again_and_no_more_than_three_times(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    spec = ChannelSpec("teams", "teams", url=inbox.url)
    inbox.answers = [(429, {"Retry-After": "2"}), (503, {})]
    deliver(spec)
    assert [pause for pause in pauses if pause] == [2, 1]
    inbox.answers = [(500, {})] * 9
    with pytest.raises(RetryableError, match="HTTP 500"):
        deliver(spec)
    assert len(inbox.received) == 6
    inbox.answers = [(429, {"Retry-After": "3600"})]
    with pytest.raises(RetryableError):
        deliver(spec)
    assert len(inbox.received) == 7


@requirement("DQ-13")
@pytest.mark.parametrize("answer", [(403, {}), (302, {"Location": "http://169.254.169.254/"})])
def test_a_refusal_or_a_redirect_is_final_and_shows_no_secret(inbox: Inbox, answer: Any) -> None:
    inbox.answers = [answer]
    with pytest.raises(ConfigurationError, match=f"HTTP {answer[0]}") as refused:
        deliver(ChannelSpec("hook", "webhook", url="${SECRET:hook}"), hook=f"{inbox.url}/tok3n-path")
    assert "tok3n-path" not in str(refused.value)
    assert len(inbox.received) == 1


@requirement("DQ-13")
def test_one_channel_that_fails_hinders_no_other_and_no_run(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    inbox.answers = [(404, {})]
    ctx = RunContext(Settings("/nowhere"))  # knows no connection
    specs = [ChannelSpec("a", "webhook", url=f"{inbox.url}/a"), ChannelSpec("slack", "slack", "acme_slack"),
             ChannelSpec("c", "webhook", url=f"{inbox.url}/c")]  # fmt: skip
    with caplog.at_level(logging.WARNING, "dativo"):
        assert send(message(), specs, (), ctx) == 1
    assert [got.path for got in inbox.received] == ["/a", "/c"]
    assert "channel 'a' was not told" in caplog.text
    assert "channel 'slack' was not told" in caplog.text


@requirement("DQ-13")
def test_templates_name_facts_and_a_million_violations_stay_a_message() -> None:
    made = message(template="{contract_name} {contract_version} of {tenant_id}: {violation_count}\n{violations_list}")
    assert made.text.startswith("orders 1.2.0 of acme: 2\n- id is unique")
    linked = message(quarantine_ui_url="https://ui/{tenant_id}/{run_id}")
    assert "see: https://ui/acme/r1" in linked.text
    many = message([Notice(f"c{n}", f"check {n}", "x" * 5000) for n in range(5000)])
    assert len(many.text) < 8000
    assert "and 4980 more" in many.text
    assert message(OVER, template="{violations_list}", mention="@here").mention == ""


def test_every_kind_of_channel_can_be_declared() -> None:
    from dativo_provider.config.notifications import TYPES

    assert sorted((*TYPES, "airflow")) == sorted(CHANNELS)


class Remembers(BaseNotifier):
    """As a provider's notifier is written; `template_fields` would be rendered by Airflow's own call."""

    template_fields = ("text", "blocks")
    seen: ClassVar[list[Any]] = []

    def __init__(self, *, text: str, blocks: Sequence[Any] = (), token: str = "") -> None:
        super().__init__()
        self.text, self.blocks, self.token = text, blocks, token

    def notify(self, context: Any) -> None:
        if self.text == "fail":
            raise ValueError("a secret may stand here")
        self.seen.append((self.text, self.blocks, self.token, context))


NOTIFIER = f"{__name__}.Remembers"


def notified(arguments: Any, allowed: tuple[str, ...] = (NOTIFIER,)) -> int:
    """How many were told, as a task tells."""
    Remembers.seen.clear()
    ctx = RunContext(Settings("/nowhere", notifiers=allowed), Known(token="s3cret"), Known())
    ctx.airflow = {"ti": "the task"}
    spec = ChannelSpec("chat", "airflow", notifier=NOTIFIER, arguments=json.dumps(arguments))
    return send(message(), [spec], (), ctx)


@requirement("DQ-13")
def test_a_notifier_of_airflow_gets_the_message_and_the_tasks_context_and_renders_nothing() -> None:
    blocks = [{"title": "{title}", "other": "{not_ours} {{ conn.globex_db.password }}"}]
    assert notified({"text": "{severity}: {violations_list}", "blocks": blocks, "token": "${SECRET:token}"}) == 1
    ((text, filled, token, context),) = Remembers.seen
    assert text.startswith("error: - id is unique: 3 rows too many")
    assert filled[0]["title"] == message().title
    assert filled[0]["other"] == "{not_ours} {{ conn.globex_db.password }}"
    assert (token, context["ti"], context["dativo"]["tenant"]) == ("s3cret", "the task", "acme")


@requirement("DQ-13")
@pytest.mark.parametrize(
    ("arguments", "allowed", "said"),
    [
        ({"text": "x"}, (), "is not allowed here"),
        ({"text": "fail"}, (NOTIFIER,), "ValueError"),
        ({"wrong": 1}, (NOTIFIER,), "TypeError"),
    ],
)
def test_a_notifier_that_is_not_allowed_or_fails_is_told_in_the_log_only(
    caplog: pytest.LogCaptureFixture, arguments: Any, allowed: tuple[str, ...], said: str
) -> None:
    assert notified(arguments, allowed) == 0
    assert said in caplog.text
    assert "secret may stand" not in caplog.text


def test_a_notifier_that_does_not_come_back_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("dativo_provider.notify.channels.airflow._SECONDS", 0.1)
    monkeypatch.setattr(Remembers, "notify", lambda *_: threading.Event().wait(5))
    assert notified({"text": "x"}) == 0
    assert "did not end within 0.1 seconds" in caplog.text


@requirement("DQ-13")
def test_dags_that_people_write_tell_by_the_same_channels(inbox: Inbox) -> None:
    notifier = DativoNotifier(channel="webhook", url=inbox.url, text="{{ dag.dag_id }} is late")
    notifier({"dag": DAG("mine"), "dag_run": SimpleNamespace(run_id="r1")})
    assert (inbox.received[0].json["title"], inbox.received[0].json["text"]) == ("mine failed", "mine is late")
    inbox.answers += [(404, {})]
    with pytest.raises(RetryableError, match="was not told"):
        notifier.notify({})
