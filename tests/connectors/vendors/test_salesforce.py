"""Salesforce: objects by REST and in bulk, their fields, their deletions, its logins."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import (
    Cancelled,
    ConfigurationError,
    CredentialError,
    DativoError,
    RateLimited,
    SourceUnavailable,
)
from dativo_provider.model.job import ContractSpec
from dativo_provider.model.stream import Field, Slice, WindowRequest
from tests.conformance.readers import BATCH_LIMIT
from tests.connectors.vendors.salesforce import Salesforce, field
from tests.connectors.vendors.suite import Read, VendorSuite, fault_on
from tests.connectors.vendors.vendor import Answer, Asked, Vendor, storm
from tests.support import requirement


@requirement("CON-09")
class TestSalesforce(VendorSuite):
    connector, stream, make, key = "salesforce", "Account", Salesforce, ("Id",)

    def test_an_api_that_repeats_a_page_for_ever_is_left(self, vendor: Vendor) -> None:
        """Each page has an address of its own, all of them now answer with the second page."""
        assert isinstance(vendor, Salesforce)
        vendor.page = 5
        vendor.add(self.stream, 40)
        self.settle(vendor)
        rut: list[Answer] = []

        def fault(asked: Asked) -> Answer | None:
            assert len(vendor.asked) < 60, "the reader asks for ever"
            locator = asked.path.rpartition("/")[2]
            if "-" not in locator:
                return None
            rut[:] = rut or [vendor.more(asked, locator)]
            return rut[0]

        vendor.faults.append(fault)
        with pytest.raises(SourceUnavailable, match="round in a circle"):
            self.read(vendor, full=True)

    def test_a_field_that_the_spec_does_not_know_is_told(self, vendor: Vendor) -> None:
        """It is a column: describe knows it."""
        assert isinstance(vendor, Salesforce)
        [key] = vendor.add(self.stream, 1)
        self.settle(vendor)
        vendor.fields[self.stream].append(field("Brand_new__c"))
        vendor.records[self.stream][key]["Brand_new__c"] = "?"
        assert [row["Brand_new__c"] for row in self.read(vendor, full=True).rows] == ["?"]


class Tried:
    """The fake of the suite, and its way to read."""

    make = Salesforce
    vendor = VendorSuite.vendor
    suite = TestSalesforce()

    def read(self, vendor: Salesforce, stream: str = "Account", since: Any = None, **more: Any) -> Read:
        return self.suite.read(vendor, since, stream, **more)


class TestObjects(Tried):
    @requirement("CON-09", "ING-20")
    def test_any_object_is_read_with_the_fields_that_its_organization_has(self, vendor: Salesforce) -> None:
        vendor.add("Invoice__c", 2)
        self.suite.settle(vendor)
        made = self.read(vendor, "Invoice__c")
        row = next(each for each in made.rows if each["NumberOfEmployees"] == 1)
        assert sorted(row) == sorted(
            ["Id", "IsDeleted", "Name", "Email", "AnnualRevenue", "NumberOfEmployees", "BillingCity", "OwnerId",
             "OwnerType", "Score__c", "Birthdate", "CreatedDate", "SystemModstamp"]
        )  # fmt: skip
        assert (row["OwnerType"], row["AnnualRevenue"], row["Score__c"]) == (
            "User",
            Decimal("1250000.50"),
            Decimal("4.5"),
        )
        assert made.told("formula_fields") == ["Score__c"]

    def test_an_object_that_is_not_is_answered_with_the_nearest(self, vendor: Salesforce) -> None:
        with pytest.raises(ConfigurationError) as caught:
            self.read(vendor, "Invoise__c")
        assert "Did you mean 'Invoice__c'?" in caught.value.remedy

    def test_discover_shows_custom_objects_too(self, vendor: Salesforce) -> None:
        vendor.fields["Invoice__c"].append(field("Remarks__c", "textarea"))
        with closing(self.suite.open(vendor)) as reader:
            found = {each.name: each for each in reader.discover()}
        assert sorted(found) == ["Account", "Invoice__c"]
        pii = {column.name for column in found["Invoice__c"].fields if column.classification == "pii"}
        assert pii == {"Email", "Remarks__c"}

    def test_discover_does_not_use_up_the_calls_of_an_organization_with_many_objects(
        self, vendor: Salesforce, caplog: pytest.LogCaptureFixture
    ) -> None:
        vendor.fields |= {f"Object_{number}__c": [field("Id", "id")] for number in range(120)}
        with closing(self.suite.open(vendor)) as reader:
            found = reader.discover()
        assert len(found) == 101
        assert "21 custom objects more are there" in caplog.text

    @pytest.mark.parametrize(
        ("column", "error", "says"),
        [("Salary__c", CredentialError, "shows no field 'Salary__c' to this user"),
         ("BillingAddress", ConfigurationError, "no single value")],
    )  # fmt: skip
    def test_a_field_that_this_user_may_not_see_is_named(
        self, vendor: Salesforce, column: str, error: type[DativoError], says: str
    ) -> None:
        contract = ContractSpec("Account", fields=(Field("Id"), Field(column)))
        with pytest.raises(error, match=says):
            self.read(vendor, spec=replace(self.suite.spec("Account"), contract=contract))


class TestQueries(Tried):
    def test_a_query_that_gives_fewer_records_than_it_announced_fails(self, vendor: Salesforce) -> None:
        vendor.add("Account", 3)
        self.suite.settle(vendor)
        vendor.faults.append(fault_on("/queryAll", Answer(body={"totalSize": 3, "done": True, "records": []}), 99))
        with pytest.raises(SourceUnavailable, match="announced 3 records of Account and gave 0"):
            self.read(vendor)

    @requirement("ERR-05")
    def test_a_run_leaves_some_of_the_calls_that_are_everybodys(self, vendor: Salesforce) -> None:
        vendor.used = 95_001
        with pytest.raises(RateLimited, match="of the 100000 API calls"):
            self.read(vendor)
        vendor.connected(api_share=99)
        self.read(vendor)

    @requirement("REG-08")
    def test_tasks_share_a_window_without_losing_or_doubling_a_record(self, vendor: Salesforce) -> None:
        first = self.read(vendor)
        vendor.clock.forward(hours=2)
        known = vendor.add("Account", 60, timedelta(minutes=2))
        self.suite.settle(vendor)
        made = self.read(vendor, since=first.cursor, want=40)
        assert len(made.results) == 5
        assert made.keys("Id") == known

    def test_a_condition_of_the_job_stands_beside_the_window(self, vendor: Salesforce) -> None:
        keys = vendor.add("Account", 3)
        vendor.records["Account"][keys[1]]["Name"] = "B"
        self.suite.settle(vendor)
        made = self.read(vendor, spec=replace(self.suite.spec("Account"), where="Name = 'B'", columns=("Id",)))
        assert made.rows == [{"Id": keys[1]}]
        assert vendor.asked[-1].query["q"] == (
            "SELECT Id,SystemModstamp,IsDeleted FROM Account "
            "WHERE SystemModstamp < 2026-03-01T12:10:00Z AND (Name = 'B')"
        )


_BROKEN_SETS = (
    (b'"Id"\n"1"\n', "other columns"),
    (b"", "announced 3 records of a set and gave 0"),
    (b'"Id","Name"\n"1"\n', "no CSV"),
)


class TestBulk(Tried):
    """Above `bulk_above` records. https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.html"""

    @pytest.fixture
    def bulk(self, vendor: Salesforce) -> Salesforce:
        vendor.connected(bulk_above=10)
        vendor.page = 5
        vendor.set_size = 7
        return vendor

    @requirement("CON-09", "REG-09")
    def test_many_records_are_the_same_in_bulk_as_by_rest(self, bulk: Salesforce) -> None:
        """Quotes, line breaks, 1.25E6 for a number, "3.0" for a whole one, nothing for null."""
        bulk.set_size = 0
        known = bulk.add("Account", 25)
        self.suite.settle(bulk)
        in_bulk = self.read(bulk)
        bulk.connected(bulk_above=1000)
        by_rest = self.read(bulk)
        assert in_bulk.told("bulk_job")
        assert not by_rest.told("bulk_job")
        moments = ("CreatedDate", "SystemModstamp")
        assert [[row[name][:19] for name in moments] for row in in_bulk.rows] == [
            [row[name][:19] for name in moments] for row in by_rest.rows
        ]
        others = [name for name in by_rest.rows[0] if name not in moments]
        assert [{n: row[n] for n in others} for row in in_bulk.rows] == [
            {n: r[n] for n in others} for r in by_rest.rows
        ]
        assert in_bulk.keys("Id") == known

    @requirement("CON-09")
    def test_deleted_and_changed_records_come_in_bulk_too(self, bulk: Salesforce) -> None:
        known = bulk.add("Account", 40)
        self.suite.settle(bulk)
        first = self.read(bulk)
        assert first.keys("Id") == known
        bulk.remove("Account", known[:3])
        bulk.touch("Account", known[10:30])
        self.suite.settle(bulk)
        second = self.read(bulk, since=first.cursor)
        assert second.keys("Id") == known[10:30]
        assert sorted(row["Id"] for row in second.gone) == known[:3]
        assert bulk.jobs == {}  # nothing is left lying there

    @requirement("ERR-02", "CON-09")
    def test_ten_thousand_records_and_more_survive_faults_in_bounded_memory(self, bulk: Salesforce) -> None:
        bulk.set_size, bulk.page = 1_000, 0
        known = bulk.add("Account", 12_000)
        self.suite.settle(bulk)
        bulk.faults.append(storm(0.2))
        made = self.read(bulk)
        assert made.keys("Id") == known
        assert made.largest <= BATCH_LIMIT

    def test_an_object_that_bulk_does_not_read_is_read_by_rest(self, bulk: Salesforce) -> None:
        bulk.not_in_bulk.add("Account")
        known = bulk.add("Account", 25)
        self.suite.settle(bulk)
        assert self.read(bulk).keys("Id") == known

    def test_a_query_too_long_for_an_address_goes_in_bulk(self, vendor: Salesforce) -> None:
        names = [f"A_rather_long_name_of_a_custom_field_{number}__c" for number in range(400)]
        vendor.fields["Account"] += [field(name) for name in names]
        known = vendor.add("Account", 3)
        self.suite.settle(vendor)
        made = self.read(vendor)
        assert (made.keys("Id"), bool(made.told("bulk_job"))) == (known, True)

    def test_an_object_too_large_for_a_query_goes_in_bulk(self, vendor: Salesforce) -> None:
        known = vendor.add("Account", 25)
        self.suite.settle(vendor)
        late = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
        vendor.faults.append(fault_on("/queryAll", Answer(400, late), 99))
        made = self.read(vendor)
        assert (made.keys("Id"), bool(made.told("bulk_job"))) == (known, True)

    def test_a_range_of_long_ago_is_read(self, vendor: Salesforce) -> None:
        """Only what is in the bin is kept for fifteen days."""
        with closing(open_reader(self.suite.source(vendor), self.suite.context(vendor))) as reader:
            found = reader.window(self.suite.spec(), WindowRequest(start="2020-01-01", end="2020-02-01"))
        assert found.kind == "range"

    def test_a_job_that_is_not_read_to_its_end_is_ended(self, bulk: Salesforce) -> None:
        bulk.add("Account", 25)
        self.suite.settle(bulk)
        with closing(open_reader(self.suite.source(bulk), self.suite.context(bulk))) as reader:
            batches = reader.read(self.suite.spec(), Slice(0, "Account", {}))
            next(batches)
            batches.close()  # type: ignore[attr-defined]
        assert [job["state"] for job in bulk.jobs.values()] == ["Aborted"]

    def test_a_job_that_fails_for_a_reason_that_passes_is_made_once_more(self, bulk: Salesforce) -> None:
        known = bulk.add("Account", 25)
        self.suite.settle(bulk)
        bulk.failing = ["InternalServerError : Retried more than fifteen times"]
        assert self.read(bulk).keys("Id") == known
        bulk.failing = ["Retried more than fifteen times"] * 2
        with pytest.raises(SourceUnavailable, match="Retried more than fifteen times"):
            self.read(bulk)
        bulk.failing = ["InvalidBatch : Field name not found : Foo"]
        with pytest.raises(ConfigurationError, match="Field name not found"):
            self.read(bulk)

    def test_sets_that_have_fewer_records_than_the_job_fail(self, bulk: Salesforce) -> None:
        bulk.add("Account", 25)
        self.suite.settle(bulk)
        told = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "3", "Sforce-Locator": "null"}
        for body, says in _BROKEN_SETS:
            bulk.faults = [fault_on("/results", Answer(body=body, headers=told), 99)]
            with pytest.raises(DativoError, match=says):
                self.read(bulk)

    @requirement("ERR-02")
    def test_a_job_whose_results_end_too_early_fails(self, bulk: Salesforce) -> None:
        bulk.add("Account", 25)
        self.suite.settle(bulk)

        def ends(asked: Asked) -> Answer | None:
            if not asked.path.endswith("/results"):
                return None
            answer = bulk.results(asked, asked.path.split("/")[-2])
            return replace(answer, headers={**answer.headers, "Sforce-Locator": "null"})

        bulk.faults.append(ends)
        with pytest.raises(SourceUnavailable, match="has 25 records and its results 5"):
            self.read(bulk)

    @requirement("CON-09")
    def test_cancelling_ends_the_job_in_salesforce(self, bulk: Salesforce) -> None:
        bulk.held_back = 1 << 20
        bulk.add("Account", 25)
        self.suite.settle(bulk)
        ctx = self.suite.context(bulk)
        user = Thread(target=ctx.cancel)

        def cancels(asked: Asked) -> Answer | None:
            if len(bulk.asked) == 20:
                user.start()
            return None

        bulk.faults.append(cancels)
        with pytest.raises(Cancelled), closing(open_reader(self.suite.source(bulk), ctx)) as reader:
            list(reader.read(self.suite.spec(), Slice(0, "Account", {})))
        user.join()
        assert [job["state"] for job in bulk.jobs.values()] == ["Aborted"]


class TestLogins(Tried):
    CLIENT = {"access_token": None, "client_id": "3MVG9", "client_secret": "cl1ent-s3cret"}

    @requirement("CON-09")
    @pytest.mark.parametrize("more", [{}, {"refresh_token": "5Aep861"}])
    def test_a_client_logs_in_at_its_my_domain_and_again_when_its_session_ends(
        self, vendor: Salesforce, more: dict[str, str]
    ) -> None:
        vendor.connected(**self.CLIENT, **more)
        known = vendor.add("Account", 3)
        self.suite.settle(vendor)
        made = self.read(vendor)
        assert made.keys("Id") == known
        vendor.tokens.clear()
        assert self.read(vendor).keys("Id") == known

    @requirement("CON-09")
    def test_a_signed_jwt_acts_for_a_user(self, vendor: Salesforce) -> None:
        key = rsa.generate_private_key(65537, 2048)
        vendor.key = key.public_key()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        vendor.connected(access_token=None, client_id="3MVG9", private_key=pem, username="etl@acme.example")
        assert self.read(vendor).rows == []
        vendor.connected(username="other@acme.example")
        with pytest.raises(CredentialError, match="hasn't approved this consumer"):
            self.read(vendor)
