"""Confluence, Intercom and Zendesk's events into Iceberg by the command line, read back without Dativo."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.confluence import Confluence
from tests.connectors.vendors.intercom import Intercom
from tests.connectors.vendors.vendor import Vendor
from tests.connectors.vendors.zendesk import Zendesk
from tests.e2e.trial import Trial
from tests.support import requirement

Run = Callable[..., None]


@pytest.fixture
def trial(tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch) -> Trial:
    return Trial(tmp_path, dativo, monkeypatch)


@pytest.fixture
def run(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Each call is an hour after the one before, for the run and for its vendor."""
    hours = iter(range(10))

    def done(vendor: Vendor, connector: str, objects: list[str], target: dict[str, Any]) -> None:
        ahead = timedelta(hours=next(hours))
        later = SimpleNamespace(now=lambda zone: datetime.now(zone) + ahead)
        monkeypatch.setattr("dativo_provider.model.context.datetime", later)
        source = {
            "objects": objects, "connection": {**vendor.credentials, "base_url": vendor.url},
            "incremental": {"strategy": "updated_at"},
        }  # fmt: skip
        secret = next(name for name in ("api_token", "access_token") if name in source["connection"])
        monkeypatch.setenv("DATIVO_SECRET__ACME__KEY", source["connection"][secret])
        source["connection"][secret] = "${SECRET:key}"
        path = trial.tenant / "jobs" / "knowledge.yaml"
        path.write_text(json.dumps({"source_connector": connector, "source": source, "target": target}))
        answer = trial.run(path)
        assert answer.code == 0, answer.out + answer.err
        vendor.clock.forward(hours=1)

    return done


@pytest.fixture
def confluence() -> Iterator[Confluence]:
    made = Confluence(Clock(datetime.now(UTC) - timedelta(hours=1)))
    with serving(made):
        yield made


@pytest.fixture
def intercom() -> Iterator[Intercom]:
    made = Intercom(Clock(datetime.now(UTC) - timedelta(hours=1)))
    with serving(made):
        yield made


@pytest.fixture
def zendesk() -> Iterator[Zendesk]:
    made = Zendesk(Clock(datetime.now(UTC) - timedelta(hours=1)))
    with serving(made):
        yield made


@requirement("CON-14", "MKV-07")
def test_pages_are_documents_and_what_is_trashed_leaves_the_table(
    trial: Trial, run: Run, confluence: Confluence
) -> None:
    keys = confluence.add("pages", 4)
    documents = {"file_format": "markdown_kv", "storage_pattern": "document_level"}
    run(confluence, "confluence", ["pages"], documents)
    assert trial.values("acme.pages", "doc_id") == keys
    confluence.remove("pages", keys[:1])
    confluence.records["pages"][keys[1]]["body"] = {"storage": {"value": "<p>anew</p>"}}
    confluence.touch("pages", keys[1:2])
    run(confluence, "confluence", ["pages"], documents)
    assert trial.values("acme.pages", "doc_id") == keys[1:]
    assert "anew" in trial.values("acme.pages", "raw_md")


@requirement("CON-13")
def test_conversations_and_their_parts_are_two_tables(trial: Trial, run: Run, intercom: Intercom) -> None:
    one, two = intercom.add("conversations", 2)
    said = [*intercom.say(one, "hello"), *intercom.say(two, "yes?")]
    objects, target = ["conversations", "conversation_parts"], {"write_mode": "merge"}
    run(intercom, "intercom", objects, target)
    assert trial.values("acme.conversation_parts", "id") == said
    new = intercom.say(one, "help!")
    run(intercom, "intercom", objects, target)
    assert trial.values("acme.conversations", "id") == [one, two]
    assert trial.values("acme.conversation_parts", "id") == sorted([*said, *new])


@requirement("CON-13")
def test_companies_are_scrolled_and_those_that_are_archived_leave_the_table(
    trial: Trial, run: Run, intercom: Intercom
) -> None:
    known = intercom.add("companies", 230)
    run(intercom, "intercom", ["companies"], {"write_mode": "replace"})
    assert trial.values("acme.companies", "id") == known
    del intercom.records["companies"][known[0]]
    run(intercom, "intercom", ["companies"], {"write_mode": "replace"})
    assert trial.values("acme.companies", "id") == known[1:]


@requirement("CON-12")
def test_what_was_written_on_tickets_is_appended_once(trial: Trial, run: Run, zendesk: Zendesk) -> None:
    one, two = zendesk.add("tickets", 2)
    said = [*zendesk.say(one, "hello", "there"), *zendesk.say(two, "yes?")]
    zendesk.clock.forward(minutes=30)
    run(zendesk, "zendesk", ["comment_events", "ticket_events"], {"write_mode": "append"})
    assert trial.values("acme.comment_events", "id") == said
    new = zendesk.say(one, "help!")
    zendesk.clock.forward(minutes=10)
    run(zendesk, "zendesk", ["comment_events", "ticket_events"], {"write_mode": "append"})
    assert trial.values("acme.comment_events", "id") == [*said, *new]
    assert trial.values("acme.ticket_events", "ticket_id") == [one, one, two]
