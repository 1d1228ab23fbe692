"""HubSpot's spec against HubSpot's rules (CON-02)."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import RateLimited
from dativo_provider.model.stream import Slice
from tests.connectors.rest.fake import Asked
from tests.connectors.vendors.hubspot import HubSpot, limited
from tests.connectors.vendors.suite import VendorSuite, fault_on
from tests.support import requirement


@requirement("CON-02")
class TestHubSpot(VendorSuite):
    connector, stream, make, key = "hubspot", "contacts", HubSpot, ("hs_object_id",)
    many = 10_500  # beyond what a search pages through, all of one moment

    def drift(self, vendor: HubSpot, key: Any) -> None:  # type: ignore[override]
        pytest.skip("answers have the properties that were asked for, and no others")

    # search ---------------------------------------------------------------------------------------------------

    @requirement("CON-02")
    def test_what_changes_while_pages_are_read_passes_nothing_over(self, vendor: HubSpot) -> None:
        """By offsets the record that leaves the window would move the others up by one."""
        vendor.page = 5
        known = vendor.add("contacts", 30)
        self.settle(vendor)
        changing = iter(known)

        def change(asked: Asked) -> None:
            if asked.path.endswith("/search"):
                vendor.touch("contacts", [next(changing)])

        vendor.faults.append(change)
        first = self.read(vendor)
        vendor.faults.clear()
        self.settle(vendor)
        later = self.read(vendor, first.cursor)
        assert set(self.keys(first)) | set(self.keys(later)) == set(known)

    def test_a_change_that_search_shows_late_is_found_by_the_next_run(self, vendor: HubSpot) -> None:
        vendor.behind = timedelta(minutes=4)
        first = self.read(vendor)
        late = vendor.add("contacts", 3)
        vendor.clock.forward(minutes=2)
        second = self.read(vendor, first.cursor)
        vendor.clock.forward(minutes=10)
        third = self.read(vendor, second.cursor)
        assert self.keys(second) == []
        assert self.keys(third) == sorted(late)

    def test_four_tasks_share_a_window(self, vendor: HubSpot) -> None:
        first = self.read(vendor, stream="deals")
        vendor.clock.forward(hours=2)
        known = vendor.add("deals", 40, timedelta(minutes=2))
        self.settle(vendor)
        later = self.read(vendor, first.cursor, "deals", want=4)
        assert self.keys(later) == sorted(known)
        assert len(later.results) == 4

    # properties -----------------------------------------------------------------------------------------------

    @requirement("CON-02")
    def test_properties_of_your_own_become_columns_with_their_types(self, vendor: HubSpot) -> None:
        vendor.properties["contacts"] = [
            {"name": "shoe_size", "label": "Shoe size", "type": "number", "hubspotDefined": False},
            {"name": "likes", "label": "Likes", "type": "enumeration", "hubspotDefined": False},
            {"name": "home", "label": "At home", "type": "string", "fieldType": "phonenumber", "hubspotDefined": False},
            {
                "name": "health",
                "label": "Health",
                "type": "string",
                "fieldType": "text",
                "hubspotDefined": False,
                "dataSensitivity": "highly_sensitive",
            },
        ]
        vendor.make("contacts", vendor.clock.now(), shoe_size="42.5", likes="a;b", email="a@example.com")
        with closing(self.open(vendor)) as reader:
            fields = reader.describe(self.spec()).fields
        found = {each.name: each.type for each in fields}
        assert (found["shoe_size"], found["likes"]) == ("decimal(38,10)", "string")
        marked = {each.name for each in fields if each.classification == "pii"}
        assert marked & {"shoe_size", "likes", "home", "health"} == {"home", "health"}
        self.settle(vendor)
        [row] = self.read(vendor, full=True).rows
        assert (str(row["shoe_size"]), row["likes"], row["email"]) == ("42.5", "a;b", "a@example.com")

    def test_a_property_that_was_cleared_has_no_value(self, vendor: HubSpot) -> None:
        vendor.make("deals", vendor.clock.now(), amount="", dealname="Lamp", closedate="")
        self.settle(vendor)
        [row] = self.read(vendor, stream="deals").rows
        assert (row["amount"], row["dealname"], row["closedate"]) == (None, "Lamp", None)

    # associations ---------------------------------------------------------------------------------------------

    @requirement("CON-02")
    def test_associations_come_for_a_thousand_records_at_once_and_to_their_end(self, vendor: HubSpot) -> None:
        deals = vendor.add("deals", 1_200)
        self.settle(vendor)
        for deal in deals[:3]:
            vendor.associations["deals", deal, "contacts"] = ["1", "2"]
        vendor.associations["deals", deals[-1], "contacts"] = [str(each) for each in range(1, 1_301)]
        made = self.read(vendor, stream="deal_contacts")
        assert len(made.rows) == len({(row["deal_id"], row["contact_id"]) for row in made.rows}) == 6 + 1_300
        assert sum("/associations/" in asked.path for asked in vendor.asked) == 4  # two, and two for the rest
        vendor.touch("deals", deals[:1])
        self.settle(vendor)
        later = self.read(vendor, made.cursor, "deal_contacts")
        assert {row["deal_id"] for row in later.rows} == {deals[0]}

    def test_owners_come_with_those_that_left(self, vendor: HubSpot) -> None:
        assert self.read(vendor, stream="owners", full=True).keys("id") == ["1", "2"]

    # logins and limits ----------------------------------------------------------------------------------------

    @requirement("CON-02")
    def test_tokens_of_oauth_are_renewed_in_the_middle_of_pages(self, vendor: HubSpot) -> None:
        vendor.page, vendor.lifetime = 5, 3
        known = vendor.add("contacts", 60)
        self.settle(vendor)
        given = {"api_key": None, "token_url": f"{vendor.url}/oauth/2026-03/token", **vendor.oauth}
        source = self.source(vendor, **given)
        self.source = lambda vendor, **connection: source  # type: ignore[method-assign]
        assert self.keys(self.read(vendor)) == sorted(known)
        assert sum("/oauth/" in asked.path for asked in vendor.asked) > 3

    def test_the_quota_of_the_day_ends_the_run_at_once(self, vendor: HubSpot) -> None:
        vendor.add("contacts", 3)
        vendor.faults.append(fault_on("/search", limited("DAILY"), times=1_000))
        began = vendor.clock.monotonic()
        usual = replace(self.source(vendor), rate_limits={})
        with pytest.raises(RateLimited) as caught, closing(open_reader(usual, self.context(vendor))) as reader:
            list(reader.read(self.spec(), Slice(0, "contacts", {"fields": {}})))
        assert "midnight" in caught.value.remedy
        assert vendor.clock.monotonic() - began < 1

    def test_the_burst_limit_waits_its_ten_seconds(self, vendor: HubSpot) -> None:
        vendor.add("contacts", 3)
        self.settle(vendor)
        vendor.faults.append(fault_on("/search", limited("TEN_SECONDLY_ROLLING")))
        began = vendor.clock.monotonic()
        assert len(self.read(vendor).rows) == 3
        assert 10 <= vendor.clock.monotonic() - began < 20
