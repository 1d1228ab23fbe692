"""Zendesk by its spec, against a fake that keeps its rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import ConfigurationError, DativoError, SourceUnavailable
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from tests.connectors.rest.fake import serving
from tests.connectors.rest.reading import Kept
from tests.connectors.vendors.suite import Read, VendorSuite
from tests.connectors.vendors.vendor import Answer, Vendor, storm
from tests.connectors.vendors.zendesk import REFUSALS, Zendesk
from tests.support import requirement


class Suite(VendorSuite):
    connector, make = "zendesk", Zendesk

    def spec(self, stream: str = "", **increment: Any) -> StreamSpec:
        made = super().spec(stream, **increment)
        rule = IncrementalSpec("updated_after", "updated_at", **{"lag_seconds": 0, **increment})
        return StreamSpec(made.name, made.object, made.table, made.contract, incremental=rule)


@requirement("CON-12")
class TestTickets(Suite):
    stream = "tickets"

    def test_tickets_go_by_what_the_export_goes_by(self, vendor: Zendesk) -> None:
        """Their `updated_at` lies an hour before the window of the run."""
        first = self.read(vendor, stream="tickets")
        known = vendor.add("tickets", 3)
        self.settle(vendor)
        assert self.keys(self.read(vendor, first.cursor)) == known

    def test_tickets_of_ai_agents_are_there(self, vendor: Zendesk) -> None:
        vendor.add("tickets", 10)
        self.settle(vendor)
        assert {row["support_type"] for row in self.read(vendor).rows} == {"agent", "ai_agent"}

    def test_values_of_several_types_are_kept_as_json(self, vendor: Zendesk) -> None:
        vendor.add("tickets", 2)
        self.settle(vendor)
        made = self.read(vendor)
        assert {row["satisfaction_rating"] for row in made.rows} == {'{"score":"good"}', '"unoffered"'}
        assert made.rows[0]["custom_fields"] == '[{"id":1,"value":["x"]},{"id":2,"value":true}]'
        assert made.rejects == 0

    def test_an_export_that_repeats_its_last_page_is_left(self, vendor: Zendesk) -> None:
        vendor.add("tickets", 8)
        self.settle(vendor)
        vendor.ghost = True
        with pytest.raises(SourceUnavailable, match="circle"):
            self.read(vendor)


@requirement("CON-12")
class TestArticles(Suite):
    """By time: the edge second comes twice."""

    stream, deletes, many = "articles", False, 2_500
    spread = timedelta(seconds=1)

    def test_a_page_full_of_one_second_is_refused_and_not_left_out(self, vendor: Zendesk) -> None:
        vendor.page = 5
        vendor.add("articles", 6)
        now = vendor.records["articles"]
        for row in now.values():
            row["updated_at"] = "2026-03-01T11:00:00Z"
        self.settle(vendor)
        with pytest.raises(DativoError) as caught:
            self.read(vendor)
        assert caught.value.remedy

    def test_the_edge_is_not_lost_where_start_time_itself_is_left_out(self, vendor: Zendesk) -> None:
        vendor.after = True
        known = vendor.add("articles", 3)
        made = self.read(vendor)
        edge = datetime.fromisoformat(str(made.window.hi))
        vendor.records["articles"][known[0]]["updated_at"] = edge.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.settle(vendor)
        assert known[0] in self.keys(self.read(vendor, made.cursor))

    def test_a_run_reads_an_hour_again_and_a_gateway_may_answer(self, vendor: Zendesk) -> None:
        """`next_page` names another host, and is not followed."""
        known = vendor.add("articles", 12, timedelta(minutes=20))
        self.settle(vendor)
        vendor.page, address, vendor.url = 5, vendor.url, "https://acme.zendesk.com"
        source = self.source(vendor, base_url=address)
        first = self.from_source(vendor, source)
        assert self.keys(first) == known
        again = self.from_source(vendor, source, first, lookback_seconds=3600)
        assert self.keys(again) == known[-3:]

    def from_source(self, vendor: Vendor, source: SourceSpec, since: Read | None = None, **increment: Any) -> Read:
        opened = open_reader(source, self.context(vendor))
        with pytest.MonkeyPatch.context() as patch, closing(opened):
            patch.setattr(self, "open", lambda *_, **__: open_reader(source, self.context(vendor)))
            return self.read(vendor, since.cursor if since else None, spec=self.spec(**increment))

    @requirement("SN-01", "MKV-07")
    def test_articles_are_documents_of_markdown(self, vendor: Zendesk) -> None:
        [key] = vendor.add("articles", 1)
        vendor.records["articles"][key] |= {"body": "<h2>One</h2><p>five!</p><p>never <b>closed"}
        self.settle(vendor)
        spec = StreamSpec("articles", "articles", "articles", ContractSpec("articles"), documents=True)
        made = self.read(vendor, spec=spec)
        [row] = made.rows
        assert (row["doc_id"], row["title"]) == (str(key), f"Article {key}")
        assert row["raw_md"] == "## One\n\nfive!\n\nnever **closed**"
        assert row["content_length"] == 22
        assert "body" not in row
        assert not made.told("unknown_fields")

    def test_no_article_is_lost_on_broken_html(self, vendor: Zendesk) -> None:
        keys = vendor.add("articles", 5)
        bodies = [None, "", "<p" * 50, "<div>" * 5_000 + "deep", "<![foo <a href=>x</a"]
        for key, body in zip(keys, bodies, strict=True):
            vendor.records["articles"][key]["body"] = body
        self.settle(vendor)
        spec = StreamSpec("articles", "articles", "articles", ContractSpec("articles"), documents=True)
        made = self.read(vendor, spec=spec)
        assert (len(made.rows), made.rejects) == (5, 0)
        assert [row["raw_md"] for row in made.rows][:2] == [None, ""]


@requirement("CON-12")
class TestOrganizations(Suite):
    stream, spread, many = "organizations", timedelta(seconds=1), 1_200


class Alone(Suite):
    """How the tests below read."""

    stream = "tickets"


alone = Alone()


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Zendesk]:
    made = Zendesk()
    monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
    with serving(made):
        yield made


def opened(vendor: Zendesk, **connection: Any) -> Reader:
    given = {"base_url": vendor.url, "subdomain": "acme", **connection}
    return open_reader(SourceSpec("zendesk", given), alone.context(vendor))


def test_users_are_followed_and_deleted_ones_told(vendor: Zendesk) -> None:
    known = vendor.add("users", 7)
    alone.settle(vendor)
    first = alone.read(vendor, stream="users")
    assert first.keys("id") == known
    vendor.remove("users", known[:1])
    vendor.touch("users", known[2:3])
    alone.settle(vendor)
    later = alone.read(vendor, first.cursor, stream="users")
    assert ([row["id"] for row in later.gone], later.keys("id")) == (known[:1], known[2:3])


@requirement("CON-12")
def test_comments_are_read_of_each_ticket_and_later_of_those_that_changed(vendor: Zendesk) -> None:
    quiet, busy, gone = vendor.add("tickets", 3)
    said = [*vendor.say(quiet, "hello"), *vendor.say(busy, *map(str, range(250))), *vendor.say(gone, "bye")]
    vendor.remove("tickets", [gone])
    alone.settle(vendor)
    first = alone.read(vendor, stream="comments")
    assert first.keys("id") == said[:-1]
    assert {row["ticket_id"] for row in first.rows} == {quiet, busy}
    assert not [each for each in vendor.asked if f"/{gone}/" in each.path]
    new = vendor.say(busy, "one more")
    alone.settle(vendor)
    asked = len(vendor.asked)
    later = alone.read(vendor, first.cursor, stream="comments")
    assert later.keys("id") == [*said[1:-1], *new]
    assert not [each for each in vendor.asked[asked:] if f"/{quiet}/" in each.path]


def test_comments_survive_faults(vendor: Zendesk) -> None:
    tickets = vendor.add("tickets", 40)
    said = [each for ticket in tickets for each in vendor.say(ticket, "a", "b", "c")]
    alone.settle(vendor)
    vendor.page = 2
    vendor.faults.append(storm())
    assert alone.read(vendor, stream="comments").keys("id") == sorted(said)


@requirement("CON-12")
def test_events_tell_every_update_and_its_comments_a_thousand_at_a_time(vendor: Zendesk) -> None:
    tickets = vendor.add("tickets", 40)
    said = []
    for ticket in tickets:
        said += vendor.say(ticket, f"hello {ticket}", "and more")
        vendor.clock.forward(seconds=1)
    alone.settle(vendor)
    events = alone.read(vendor, stream="ticket_events")
    assert [row["ticket_id"] for row in events.rows] == tickets
    assert f"hello {tickets[0]}" in events.rows[0]["child_events"]
    comments = alone.read(vendor, stream="comment_events")
    assert comments.keys("id") == said
    assert {row["body"]: row["ticket_id"] for row in comments.rows}[f"hello {tickets[3]}"] == tickets[3]
    assert (comments.rejects, comments.told("unknown_fields")) == (0, None)
    assert len([each for each in vendor.asked if "ticket_events" in each.path]) == 2
    assert not [each for each in vendor.asked if "/comments" in each.path]


@requirement("CON-12", "REG-07", "REG-08", "ERR-02")
def test_later_runs_read_the_events_since_and_none_is_lost_or_doubled(vendor: Zendesk) -> None:
    """Small pages whose edge second comes twice, at times an error, and an update in the second that ends a run."""
    vendor.page = 4
    vendor.faults.append(storm(0.1))
    [ticket] = vendor.add("tickets", 1)
    said, read, cursor = [], [], None
    for run in range(6):
        for number in range(7):
            said += vendor.say(ticket, f"{run}.{number}")
            vendor.clock.forward(seconds=number % 3)
        if run % 2:
            alone.settle(vendor)
        made = alone.read(vendor, cursor, stream="comment_events")
        cursor = made.cursor
        read += [row["id"] for row in made.rows]
    alone.settle(vendor)
    read += [row["id"] for row in alone.read(vendor, cursor, stream="comment_events").rows]
    assert sorted(read) == said


def test_a_run_within_the_minute_that_exports_leave_out_is_empty(vendor: Zendesk) -> None:
    """A range may end later than what the job's own lag allows."""
    vendor.add("organizations", 2)
    made = alone.read(vendor, stream="organizations")
    vendor.clock.forward(seconds=20)
    assert alone.read(vendor, made.cursor, stream="organizations").rows == []


@pytest.mark.parametrize("login", [Zendesk.client, Zendesk.api_token])
def test_each_way_to_log_in_works(vendor: Zendesk, login: dict[str, str]) -> None:
    with closing(opened(vendor, **login)) as reader:
        reader.check()
    assert vendor.asked[-1].path == "/api/v2/users/me.json"


@requirement("SEC-04")
def test_a_refresh_token_is_replaced_by_the_one_it_brings(vendor: Zendesk) -> None:
    kept = Kept(refresh_token=vendor.refresh_token)
    for _ in range(2):
        with closing(opened(vendor, **vendor.client, **kept)) as reader:
            reader.keep = kept
            reader.check()
        assert kept["refresh_token"] == vendor.refresh_token


def test_a_token_that_expires_between_pages_is_renewed(vendor: Zendesk) -> None:
    known = vendor.add("tickets", 12)
    alone.settle(vendor)
    vendor.page = 5
    vendor.faults.append(lambda asked: vendor.tokens.clear() if len(vendor.asked) == 3 else None)
    source = SourceSpec("zendesk", {"base_url": vendor.url, "subdomain": "acme", **vendor.client})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alone, "open", lambda *_, **__: open_reader(source, alone.context(vendor)), raising=False)
        assert alone.read(vendor).keys("id") == known
    assert [each.path for each in vendor.asked].count("/oauth/tokens") >= 2


def test_a_job_without_its_subdomain_is_told_where_it_stands(vendor: Zendesk) -> None:
    with pytest.raises(ConfigurationError, match="subdomain"), closing(opened(vendor, subdomain="")) as reader:
        reader.check()


def test_what_vendors_say_of_a_limit_is_waited_for(vendor: Zendesk) -> None:
    """In each of the forms that Zendesk has, JSON or not."""
    known = vendor.add("tickets", 12)
    alone.settle(vendor)
    vendor.page = 5
    refusals = [Answer(429, body, {"Retry-After": "30"}) for body in REFUSALS]
    refusals.append(Answer(503, b"", {"Retry-After": "40"}))
    vendor.faults.append(lambda asked: refusals.pop() if refusals else None)
    began = vendor.clock.monotonic()
    assert alone.read(vendor).keys("id") == known
    assert vendor.clock.monotonic() - began >= 130
