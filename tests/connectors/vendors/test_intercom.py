"""Intercom by its spec, against a fake that keeps its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from dativo_provider.connectors.rest.load import api_of
from dativo_provider.errors import RateLimited, SourceUnavailable
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.intercom import Intercom
from tests.connectors.vendors.suite import VendorSuite
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Vendor, repeated, storm
from tests.support import requirement


class Suite(VendorSuite):
    connector, make, deletes = "intercom", Intercom, False

    def spec(self, stream: str = "", **increment: Any) -> StreamSpec:
        name = stream or self.stream
        rule = IncrementalSpec("updated_at", "updated_at", **{"lag_seconds": 0, **increment})
        return StreamSpec(name, name, name, ContractSpec(name), incremental=rule)


@requirement("CON-13")
class TestContacts(Suite):
    stream = "contacts"

    def test_changes_of_the_same_day_are_found(self, vendor: Intercom) -> None:
        """Before version 2.17 a search for later than noon found nothing of that day."""
        known = vendor.add("contacts", 3)
        self.settle(vendor)
        first = self.read(vendor)
        vendor.touch("contacts", known[:1])
        self.settle(vendor)
        assert self.keys(self.read(vendor, first.cursor)) == known[:1]
        assert {each.headers["intercom-version"] for each in vendor.asked} == {"2.17"}

    def test_contacts_that_are_not_found_at_once_are_read_by_the_next_run(self, vendor: Intercom) -> None:
        vendor.index_lag = 200
        first = self.read(vendor)
        known = vendor.add("contacts", 2)
        vendor.clock.forward(seconds=100)
        second = self.read(vendor, first.cursor)
        assert second.rows == []
        self.settle(vendor)
        assert self.keys(self.read(vendor, second.cursor)) == known

    def test_tasks_share_a_window(self, vendor: Intercom) -> None:
        first = self.read(vendor)
        known = vendor.add("contacts", 300, timedelta(seconds=1))
        self.settle(vendor)
        assert self.keys(self.read(vendor, first.cursor, want=4)) == known


@requirement("CON-13")
class TestConversations(Suite):
    stream, many = "conversations", 1_000

    def counting(self, vendor: Intercom) -> list[Quota]:
        """Searches keep to a limit of our own: many at once run out of Intercom's time."""
        return [Quota(60, 10)]


@requirement("CON-13")
class TestArticles(Suite):
    stream, many = "articles", 1_000

    @requirement("MKV-07")
    def test_articles_are_documents_of_markdown(self, vendor: Intercom) -> None:
        [key] = vendor.add("articles", 1)
        self.settle(vendor)
        spec = StreamSpec("articles", "articles", "articles", ContractSpec("articles"), documents=True)
        [row] = self.read(vendor, spec=spec).rows
        assert (row["doc_id"], row["raw_md"]) == (key, f"## Article {key}\n\nIt is easy.")
        assert row["content_length"] == len(f"Article {key} It is easy.")


class Alone(Suite):
    stream = "contacts"


alone = Alone()


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Intercom]:
    made = Intercom()
    monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
    with serving(made):
        yield made


@requirement("CON-13")
def test_parts_are_read_of_each_conversation_and_later_of_those_that_changed(vendor: Intercom) -> None:
    quiet, busy = vendor.add("conversations", 2)
    said = [*vendor.say(quiet, "hello"), *vendor.say(busy, "a", "b")]
    alone.settle(vendor)
    first = alone.read(vendor, stream="conversation_parts")
    assert first.keys("id") == said
    assert {row["conversation_id"] for row in first.rows} == {quiet, busy}
    new = vendor.say(busy, "c")
    alone.settle(vendor)
    later = alone.read(vendor, first.cursor, stream="conversation_parts")
    assert later.keys("id") == [*said[1:], *new]


@requirement("CON-13")
def test_a_conversation_that_shows_no_more_of_its_parts_is_told(vendor: Intercom) -> None:
    short, long = vendor.add("conversations", 2)
    vendor.say(short, "a")
    said = vendor.say(long, *map(str, range(499)))
    alone.settle(vendor)
    assert alone.read(vendor, stream="conversation_parts").told("perhaps_cut") is None
    said += vendor.say(long, "499", "500")
    alone.settle(vendor)
    made = alone.read(vendor, stream="conversation_parts")
    assert made.told("perhaps_cut") == 1
    assert said[0] not in made.keys("id")
    assert said[1] in made.keys("id")


def test_parts_survive_faults(vendor: Intercom) -> None:
    known = vendor.add("conversations", 60)
    said = [each for key in known for each in vendor.say(key, "a", "b")]
    alone.settle(vendor)
    vendor.page = 7
    vendor.faults.append(storm())
    assert alone.read(vendor, stream="conversation_parts").keys("id") == sorted(said)


def test_ids_that_are_now_a_number_and_now_a_text_are_text(vendor: Intercom) -> None:
    vendor.add("conversations", 4)
    alone.settle(vendor)
    made = alone.read(vendor, stream="conversations")
    assert all(isinstance(row["team_assignee_id"], str) for row in made.rows)
    assert made.rejects == 0


def test_companies_and_admins_are_read_in_full(vendor: Intercom) -> None:
    companies, admins = vendor.add("companies", 130), vendor.add("admins", 3)
    assert alone.read(vendor, stream="companies").keys("id") == companies
    assert alone.read(vendor, stream="admins").keys("id") == admins


@requirement("CON-13")
def test_more_companies_than_lists_show_are_read(vendor: Intercom) -> None:
    """The list ends at 10,000; the scroll has no end."""
    known = vendor.add("companies", 10_250)
    assert alone.read(vendor, stream="companies").keys("id") == sorted(known)


class Patient(Suite):
    """With the retries that a job has by itself."""

    __test__ = False

    def source(self, vendor: Vendor, **connection: Any) -> SourceSpec:
        return replace(super().source(vendor, **connection), rate_limits={})


def scrolled(vendor: Intercom, fails: Callable[[int], bool], failure: Answer) -> None:
    """Pages whose number `fails` are served, and their answers lost."""
    numbers = count(1)

    def fault(asked: Asked) -> Answer | None:
        if "scroll_param" not in asked.query or not fails(next(numbers)):
            return None
        vendor.companies(asked)
        return failure

    vendor.faults.append(fault)


LOST = [
    Answer(500, {"type": "error.list", "errors": [{"code": "server_error", "message": "Please restart the scroll"}]}),
    Answer(502, b"<html>Bad gateway</html>"),
    Answer(200, b'{"data": [{"id": 1'),
    Answer(200, {"data": [{"id": "lost"}]}, cut=True),
]


@requirement("CON-13", "ERR-02", "REG-08")
@pytest.mark.parametrize("failure", LOST, ids=["500", "html", "truncated", "cut"])
def test_a_page_of_the_scroll_that_is_lost_is_read_from_the_beginning(vendor: Intercom, failure: Answer) -> None:
    """Asked for again, the scroll would give the page after it. The scroll that is open ends after a minute."""
    known = vendor.add("companies", 450)
    scrolled(vendor, lambda number: number in (2, 5), failure)
    began = vendor.clock.now()
    assert alone.read(vendor, stream="companies").keys("id") == known
    assert vendor.scrolls == 3
    assert vendor.clock.now() - began >= timedelta(minutes=2)


def test_a_scroll_that_ended_for_want_of_use_is_begun_anew(vendor: Intercom) -> None:
    known = vendor.add("companies", 250)
    scrolled(vendor, lambda number: False, Answer())
    slow = count()

    def late(asked: Asked) -> Answer | None:
        if "scroll_param" in asked.query and next(slow) == 1:
            vendor.clock.forward(seconds=61)
        return None

    vendor.faults.append(late)
    assert alone.read(vendor, stream="companies").keys("id") == known
    assert vendor.scrolls == 2


def test_a_scroll_that_somebody_else_holds_is_waited_for(vendor: Intercom) -> None:
    known = vendor.add("companies", 50)
    vendor.scroll = {"token": "theirs", "rows": [], "used": vendor.clock.now()}
    began = vendor.clock.now()
    assert alone.read(vendor, stream="companies").keys("id") == known
    assert vendor.clock.now() - began >= timedelta(minutes=1)


def test_a_scroll_that_somebody_else_keeps_is_waited_for_as_long_as_the_notes_say(vendor: Intercom) -> None:
    held = {"type": "error.list", "errors": [{"code": "scroll_exists", "message": "scroll already exists"}]}
    vendor.faults.append(lambda asked: Answer(400, held) if "scroll" in asked.path else None)
    began = vendor.clock.now()
    with pytest.raises(RateLimited):
        Patient().read(vendor, stream="companies")
    waited = vendor.clock.now() - began
    assert timedelta(minutes=4) <= waited < timedelta(minutes=5)
    note = next(note for note in api_of("intercom").notes if "scroll" in note)
    assert "waits for four minutes" in note


def test_a_scroll_that_never_comes_to_its_end_is_left(vendor: Intercom) -> None:
    vendor.add("companies", 250)
    scrolled(vendor, lambda number: True, LOST[0])
    with pytest.raises(SourceUnavailable, match="begun 8 times") as caught:
        alone.read(vendor, stream="companies")
    assert "Please restart the scroll" in caught.value.message
    assert vendor.scrolls == 8


def test_a_scroll_that_goes_round_in_a_circle_is_left(vendor: Intercom) -> None:
    vendor.add("companies", 250)
    vendor.faults.append(repeated(vendor))
    with pytest.raises(SourceUnavailable, match="circle"):
        alone.read(vendor, stream="companies")


@requirement("ERR-05")
def test_a_refused_page_of_the_scroll_is_asked_for_again(vendor: Intercom) -> None:
    """Nothing was served, so the scroll is still where it was."""
    known = vendor.add("companies", 250)
    error = {"type": "error.list", "errors": [{"code": "rate_limit_exceeded", "message": "Exceeded rate limit"}]}
    refusals = [Answer(429, error)]
    vendor.faults.append(lambda asked: refusals.pop() if refusals and "scroll_param" in asked.query else None)
    assert alone.read(vendor, stream="companies").keys("id") == known
    assert vendor.scrolls == 1


def test_a_refusal_is_waited_for_until_the_stretch_of_ten_seconds_ends(vendor: Intercom) -> None:
    known = vendor.add("contacts", 3)
    alone.settle(vendor)
    error = {"type": "error.list", "errors": [{"code": "rate_limit_exceeded", "message": "Exceeded rate limit"}]}
    refusals = [Answer(429, error)]
    vendor.faults.append(lambda asked: refusals.pop() if refusals else None)
    began = vendor.clock.now().timestamp()
    assert alone.read(vendor).keys("id") == known
    assert vendor.clock.now().timestamp() >= began // 10 * 10 + 10


def test_a_plan_without_the_api_is_told(vendor: Intercom) -> None:
    error = {
        "type": "error.list",
        "errors": [{"code": "api_plan_restricted", "message": "Active subscription needed."}],
    }
    vendor.faults.append(lambda asked: Answer(403, error))
    with pytest.raises(Exception, match="Active subscription needed") as caught:
        alone.read(vendor)
    assert "the workspace's plan has no such API" in str(caught.value)
