"""Stripe's spec against Stripe's rules (CON-01)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from dativo_provider.connectors.rest.load import api_of
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.connectors.rest.fake import Answer, Asked, Fault
from tests.connectors.vendors.stripe import Stripe, refused
from tests.connectors.vendors.suite import Read, VendorSuite, fault_on
from tests.services.stripe_mock import StripeMock
from tests.support import requirement


@requirement("CON-01")
class TestStripe(VendorSuite):
    connector, stream, make = "stripe", "customers", Stripe

    def ids(self, made: Read) -> list[str]:
        return [row["id"] for row in made.rows]

    # lists ----------------------------------------------------------------------------------------------------

    @requirement("CON-01")
    def test_prices_that_are_no_longer_active_come_too(self, vendor: Stripe) -> None:
        made = {vendor.make("prices", vendor.clock.now(), active=active)["id"] for active in (True, False, True)}
        assert set(self.ids(self.read(vendor, stream="prices", full=True))) == made

    @requirement("CON-01")
    def test_cancelled_subscriptions_stay_rows(self, vendor: Stripe) -> None:
        made = vendor.make("subscriptions", vendor.clock.now(), status="canceled")
        first = self.read(vendor, stream="subscriptions")
        assert self.ids(first) == [made["id"]]
        self.settle(vendor)
        vendor.tell("subscriptions", made, "deleted", vendor.clock.now())
        self.settle(vendor)
        later = self.read(vendor, first.cursor, "subscriptions")
        assert (self.ids(later), later.gone) == ([made["id"]], [])

    def test_what_is_made_while_pages_are_read_shifts_nothing(self, vendor: Stripe) -> None:
        vendor.page = 5
        known = vendor.add("customers", 20)
        vendor.faults.append(meanwhile(lambda: vendor.add("customers", 3)))
        found = self.ids(self.read(vendor, full=True))
        assert set(known) <= set(found)
        assert len(found) == len(set(found))

    def test_a_page_goes_on_although_its_last_record_was_deleted(self, vendor: Stripe) -> None:
        """Asked after a customer that is gone, Stripe answers `resource_missing`."""
        vendor.page = 5
        known = vendor.add("customers", 17)
        ends: list[str] = []

        def delete_what_was_last(asked: Asked) -> Answer | None:
            after = asked.query.get("starting_after")
            if after in vendor.records["customers"] and len(ends) < 2:
                ends.append(str(after))
                vendor.remove("customers", [after])
            return None

        vendor.faults.append(delete_what_was_last)
        found = self.ids(self.read(vendor, full=True))
        assert sorted(found) == sorted(known)
        assert len(ends) == 2

    def test_lists_inside_of_records_are_read_to_their_end(self, vendor: Stripe) -> None:
        """A record has ten of them; `/subscription_items` has all."""
        made = [subscription(vendor, items) for items in (25, 1, 120)]
        self.settle(vendor)
        first = self.read(vendor, stream="subscription_items")
        assert len(first.rows) == len(set(self.ids(first))) == 146
        assert {row["subscription"] for row in first.rows} == {each["id"] for each in made}
        self.settle(vendor)
        for _ in range(3):  # changed three times, asked for once
            vendor.touch("subscriptions", [made[0]["id"]])
        self.settle(vendor)
        later = self.read(vendor, first.cursor, "subscription_items")
        assert len(later.rows) == 25

    def test_lines_of_an_invoice_that_was_deleted_meanwhile_are_passed_over(self, vendor: Stripe) -> None:
        kept, gone = (invoice(vendor, 12) for _ in range(2))
        vendor.faults.append(meanwhile(lambda: vendor.records["invoices"].pop(gone["id"], None), "/lines"))
        made = self.read(vendor, stream="invoice_lines")
        assert {row["invoice"] for row in made.rows} == {kept["id"]}
        assert (len(made.rows), made.told("parents_gone")) == (12, 1)

    def test_amounts_are_exact(self, vendor: Stripe) -> None:
        exact = "9007199254740993.000000000001"
        vendor.make("prices", vendor.clock.now(), unit_amount=2**53 + 1, unit_amount_decimal=exact)
        [row] = self.read(vendor, stream="prices", full=True).rows
        assert int(row["unit_amount"]) == 2**53 + 1
        assert Decimal(str(row["unit_amount_decimal"])) == Decimal(exact)

    # events ---------------------------------------------------------------------------------------------------

    @requirement("REG-08")
    def test_of_several_events_in_one_second_the_last_counts(self, vendor: Stripe) -> None:
        first = self.read(vendor)
        self.settle(vendor)
        [kept, gone] = vendor.add("customers", 2)
        vendor.touch("customers", [kept, gone])
        vendor.touch("customers", [kept])
        last = vendor.records["customers"][kept]["metadata"]["touched"]
        vendor.remove("customers", [gone])
        self.settle(vendor)
        later = self.read(vendor, first.cursor)
        assert (self.ids(later), [row["id"] for row in later.gone]) == ([kept], [gone])
        assert last in later.rows[0]["metadata"]

    def test_after_thirty_days_of_rest_everything_is_read(self, vendor: Stripe) -> None:
        known = vendor.add("customers", 3)
        first = self.read(vendor)
        vendor.clock.forward(days=31)
        later = self.read(vendor, first.cursor)
        assert later.window.kind == "full"
        assert "29 days" in later.window.notes[0]
        assert sorted(self.ids(later)) == sorted(known)

    def test_events_in_another_version_of_the_api_are_told(
        self, vendor: Stripe, caplog: pytest.LogCaptureFixture
    ) -> None:
        """They show objects as that version did, whatever is asked for."""
        first = self.read(vendor)
        vendor.version = "2024-06-20"
        self.settle(vendor)
        vendor.add("customers", 2)
        self.settle(vendor)
        assert self.read(vendor, first.cursor).told("unexpected") == 2
        assert "not listed with api_version=2026-08-26.dahlia" in caplog.text

    def test_events_show_up_late(self, vendor: Stripe) -> None:
        """The spec itself keeps a minute's distance, though the job's own lag is none."""
        first = self.read(vendor)
        assert first.window.hi is not None
        assert str(first.window.hi) <= (vendor.clock.now() - timedelta(seconds=60)).isoformat()

    # how it is asked ------------------------------------------------------------------------------------------

    def test_requests_name_their_version_and_the_connected_account(self, vendor: Stripe) -> None:
        self.read(vendor, full=True)
        assert vendor.asked[-1].headers["stripe-version"] == "2026-08-26.dahlia"
        assert "stripe-account" not in vendor.asked[-1].headers
        self.open(vendor, account="acct_1").check()
        assert vendor.asked[-1].headers["stripe-account"] == "acct_1"

    def test_an_object_that_is_locked_is_no_reason_to_go_slower(self, vendor: Stripe) -> None:
        vendor.page = 5
        vendor.add("customers", 40)
        vendor.faults.append(fault_on("/customers", refused(429, "locked", code="lock_timeout"), times=2))
        began = vendor.clock.monotonic()
        assert len(self.read(vendor, full=True).rows) == 40
        assert vendor.clock.monotonic() - began < 5

    @requirement("STA-02")
    @pytest.mark.parametrize(("stream", "column"), [("customers", ""), ("balance_transactions", "created")])
    def test_the_moment_of_an_event_is_not_taken_for_the_column_of_that_name(
        self, vendor: Stripe, stream: str, column: str
    ) -> None:
        """Else an old customer who was changed today would make the table's `created` fresh, and `delete_insert` would
        replace the customers of a day by those whose events are of it."""
        vendor.add(stream, 3)
        found = self.read(vendor, stream=stream)
        assert found.window.column == column
        assert found.cursor is not None
        assert found.cursor.value["column"] == column

    def test_balance_transactions_are_followed_by_their_own_moment(self, vendor: Stripe) -> None:
        first = vendor.add("balance_transactions", 30, timedelta(minutes=1))
        self.settle(vendor)
        made = self.read(vendor, stream="balance_transactions", want=4)
        assert sorted(self.ids(made)) == sorted(first)
        self.settle(vendor)
        more = vendor.add("balance_transactions", 30, timedelta(seconds=3))  # the ten minutes before now
        self.settle(vendor)
        later = self.read(vendor, made.cursor, "balance_transactions", want=4)
        assert sorted(self.ids(later)) == sorted(more)
        assert len(later.results) > 1


def meanwhile(happens: Callable[[], object], where: str = "") -> Fault:
    """Something happens in the account before each request whose path has `where`."""

    def fault(asked: Asked) -> Answer | None:
        if where in asked.path:
            happens()
        return None

    return fault


def subscription(vendor: Stripe, items: int) -> dict[str, Any]:
    made = vendor.make("subscriptions", vendor.clock.now())
    same = {"object": "subscription_item", "created": made["created"], "subscription": made["id"]}
    found = [{"id": f"si_{made['id']}_{each}", "price": {"id": "price_1"}, **same} for each in range(items)]
    made["items"] = {"object": "list", "data": found[:10], "has_more": items > 10}
    made["_more"] = found[10:]
    return made


def invoice(vendor: Stripe, lines: int) -> dict[str, Any]:
    made = vendor.make("invoices", vendor.clock.now())
    same = {"object": "line_item", "invoice": made["id"], "parent": {"type": "invoice_item_details"}}
    found = [{"id": f"il_{made['id']}_{each}", "amount": 5, **same} for each in range(lines)]
    made["lines"] = {"object": "list", "data": found[:10], "has_more": lines > 10}
    made["_more"] = found[10:]
    return made


# Stripe's own double ------------------------------------------------------------------------------------------


@pytest.fixture
def official(stripe_mock: StripeMock) -> RestReader:
    source = SourceSpec("stripe", {"base_url": f"{stripe_mock.url}/v1", "api_key": "sk_test_123"})
    return RestReader(source, RunContext(Settings(home="")))


@requirement("CON-01")
@pytest.mark.parametrize("stream", api_of("stripe").streams)
def test_stripes_own_double_takes_every_request_and_its_records_have_every_column(
    official: RestReader, stream: str
) -> None:
    """It refuses parameters that a path does not have, and its records have every field of the version."""
    for bounds in ({}, {"lo": "2026-03-01T00:00:00+00:00", "hi": "2026-03-02T00:00:00+00:00"}):
        list(official.read(StreamSpec(stream, stream, stream, ContractSpec(stream)), Slice(0, stream, bounds)))
        unknown = set(official.result().detail.get("unknown_fields", ()))
        assert unknown <= EXPANDED.get(stream, set()), unknown
    if stream not in NESTED:
        batch = next(iter(official.read(StreamSpec(stream, stream, stream, ContractSpec(stream)), Slice(0, stream))))
        columns = api_of("stripe").streams[stream].columns
        row = batch.data.to_pylist()[0]
        assert all(row[name] is not None for name, each in columns.items() if each.required)
        assert batch.rejects == ()


# Fields that lists do not have unless they are expanded, which the double does of itself.
EXPANDED = {"charges": {"refunds"}}
NESTED = ("subscription_items", "invoice_lines")
