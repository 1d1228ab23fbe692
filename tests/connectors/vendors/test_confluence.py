"""Confluence Cloud by its spec, against a fake that keeps its rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.model.job import ContractSpec, IncrementalSpec, StreamSpec
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.confluence import Confluence
from tests.connectors.vendors.suite import VendorSuite
from tests.connectors.vendors.vendor import Answer
from tests.support import requirement


class Suite(VendorSuite):
    connector, make = "confluence", Confluence

    def spec(self, stream: str = "", **increment: Any) -> StreamSpec:
        name = stream or self.stream
        rule = IncrementalSpec("updated_at", "modified_at", **{"lag_seconds": 0, **increment})
        return StreamSpec(name, name, name, ContractSpec(name), incremental=rule)


@requirement("CON-14")
class TestPages(Suite):
    stream = "pages"

    def test_later_runs_end_below_their_window(self, vendor: Confluence) -> None:
        known = vendor.add("pages", 60, timedelta(minutes=1))
        self.settle(vendor)
        first = self.read(vendor)
        vendor.page = 5
        vendor.touch("pages", known[:3])
        self.settle(vendor)
        asked = len(vendor.asked)
        assert self.keys(self.read(vendor, first.cursor)) == known[:3]
        assert len(vendor.asked) - asked <= 3  # a page of changes, one of them too many, and the trash

    def test_a_page_that_changes_while_it_is_read_is_there_once_and_again_next_time(self, vendor: Confluence) -> None:
        known = vendor.add("pages", 12, timedelta(minutes=1))
        self.settle(vendor)
        vendor.page = 5
        vendor.faults.append(lambda asked: vendor.touch("pages", known[:1]) if len(vendor.asked) == 2 else None)
        first = self.read(vendor)
        vendor.faults.clear()
        self.settle(vendor)
        later = self.read(vendor, first.cursor)
        assert self.keys(first) == known
        assert self.keys(later) == known[:1]

    @requirement("MKV-07")
    def test_pages_are_documents_of_markdown(self, vendor: Confluence) -> None:
        [key] = vendor.add("pages", 1)
        self.settle(vendor)
        spec = StreamSpec("pages", "pages", "pages", ContractSpec("pages"), documents=True)
        made = self.read(vendor, spec=spec)
        [row] = made.rows
        assert (row["doc_id"], row["raw_md"]) == (key, f"# Page {key}\n\nHow it is done.")
        assert row["url"] == f"/spaces/DOC/pages/{key}"
        assert not made.told("unknown_fields")


@requirement("CON-14")
class TestAttachments(Suite):
    stream, many = "attachments", 1_000


class Alone(Suite):
    stream = "pages"


alone = Alone()


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Confluence]:
    made = Confluence()
    monkeypatch.setattr("dativo_provider.connectors.rest.client.monotonic", made.clock.monotonic)
    with serving(made):
        yield made


@requirement("CON-14")
def test_blog_posts_and_spaces_are_read(vendor: Confluence) -> None:
    posts, spaces = vendor.add("blog_posts", 30), vendor.add("spaces", 30)
    alone.settle(vendor)
    vendor.page = 7
    first = alone.read(vendor, stream="blog_posts")
    assert first.keys("id") == posts
    assert alone.read(vendor, stream="spaces").keys("id") == spaces
    vendor.remove("blog_posts", posts[:1])
    alone.settle(vendor)
    assert [row["id"] for row in alone.read(vendor, first.cursor, stream="blog_posts").gone] == posts[:1]


@requirement("CON-14")
def test_a_move_makes_no_version_and_is_seen_by_the_tree(vendor: Confluence) -> None:
    known = vendor.add("pages", 12)
    alone.settle(vendor)
    first = alone.read(vendor)
    vendor.records["pages"][known[4]] |= {"parentId": known[0], "spaceId": "77"}
    vendor.records["pages"][known[5]]["status"] = "archived"
    vendor.records["pages"].pop(known[6])
    vendor.changes += 1
    alone.settle(vendor)
    assert alone.read(vendor, first.cursor).rows == []
    vendor.page = 5
    tree = alone.read(vendor, stream="page_tree")
    rows = {row["id"]: row for row in tree.rows}
    assert sorted(rows) == sorted(set(known) - {known[6]})
    assert (rows[known[4]]["parent_id"], rows[known[4]]["space_id"]) == (known[0], "77")
    assert rows[known[5]]["status"] == "archived"
    assert not tree.told("unknown_fields")
    assert "body-format" not in vendor.asked[-1].query


def test_what_the_account_may_not_see_is_no_error(vendor: Confluence) -> None:
    known = vendor.add("pages", 6)
    vendor.hidden = set(known[::2])
    alone.settle(vendor)
    assert alone.read(vendor).keys("id") == known[1::2]


def test_the_gateway_s_prefix_stays_on_every_page(vendor: Confluence) -> None:
    known = vendor.add("pages", 12)
    alone.settle(vendor)
    vendor.page = 5
    gateway = {"base_url": f"{vendor.url}/ex/confluence/c1", "site": "", "email": "", "access_token": "oauth-t0ken"}
    source = alone.source(vendor, **gateway)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alone, "source", lambda *_, **__: source, raising=False)
        assert alone.read(vendor).keys("id") == known
    assert {each.path for each in vendor.asked} == {"/ex/confluence/c1/wiki/api/v2/pages"}


def test_a_limit_told_in_iso_is_waited_for(vendor: Confluence) -> None:
    known = vendor.add("pages", 3)
    alone.settle(vendor)
    reset = (vendor.clock.now() + timedelta(seconds=90)).isoformat().replace("+00:00", "Z")
    refusals = [Answer(429, {"message": "Rate limit exceeded"}, {"X-RateLimit-Reset": reset})]
    vendor.faults.append(lambda asked: refusals.pop() if refusals else None)
    began = vendor.clock.monotonic()
    assert alone.read(vendor).keys("id") == known
    assert vendor.clock.monotonic() - began >= 90


def test_points_that_are_used_up_are_a_quota(vendor: Confluence) -> None:
    vendor.add("pages", 3)
    alone.settle(vendor)
    headers = {"RateLimit-Reason": "confluence-quota-global-based", "Retry-After": "1800"}
    vendor.faults.append(lambda asked: Answer(429, {"message": "Rate limit exceeded"}, headers))
    with pytest.raises(Exception, match="429") as caught:
        alone.read(vendor)
    assert "points" in str(caught.value)


def test_the_scope_of_attachments_is_named(vendor: Confluence) -> None:
    vendor.forbidden.add("read:attachment:confluence")
    with pytest.raises(CredentialError) as caught:
        alone.read(vendor, stream="attachments")
    assert "read:attachment:confluence" in caught.value.remedy
    with closing(alone.open(vendor)) as reader:
        reader.check()
