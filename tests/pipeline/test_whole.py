"""A full load deletes what is gone from the source, and nothing that only changed while it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.job import ContractSpec, IncrementalSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.run import RunRequest
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.run import StreamReport, run
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.toy import SPEC, text
from tests.pipeline.build import Bench
from tests.support import requirement

COLUMNS = (Field("id", "long", required=True), Field("name"), Field("amount", "decimal(18,4)"),
           Field("updated_at", "timestamptz"))  # fmt: skip
NOW = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving(made := FakeApi(page=10)):
        made.rows = [row(number) for number in range(40)]
        yield made


def row(number: int, at: datetime = NOW, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": f"row {number}", "amount": 1, "updated_at": at.isoformat(), **more}


class Mirror(Bench):
    """The toy's list merged into a table; what a full load does not bring is deleted."""

    api: FakeApi

    def spec(self, name: str = "orders") -> JobSpec:
        increment = IncrementalSpec("updated_at", "updated_at", lag_seconds=0)
        contract = ContractSpec("orders", fields=COLUMNS, primary_key=("id",))
        stream = StreamSpec("cursor", "cursor", "orders", contract, incremental=increment, key=("id",))
        source = SourceSpec("rest", {"base_url": self.api.url, "token": self.api.token}, options={"spec": text(SPEC)})
        target = TargetSpec(namespace="acme", mode="merge", delete_missing=True)
        return JobSpec("acme", name, name, source, target, (stream,))

    def at(self, moment: datetime, **request: Any) -> StreamReport:
        context = replace(self.context(), now=lambda: moment)
        (stream,) = run(self.spec(), context, RunRequest(**request)).streams
        assert stream.error is None, stream.error
        return stream


@pytest.fixture
def mirror(tmp_path: Path, api: FakeApi) -> Mirror:
    made = Mirror(tmp_path)
    made.api = api
    return made


@requirement("ING-10", "STA-04")
def test_a_row_that_changes_while_it_is_read_is_not_missing(mirror: Mirror, api: FakeApi) -> None:
    mirror.at(NOW + timedelta(minutes=1))
    read_at = NOW + timedelta(minutes=10)
    del api.rows[5]

    def changes(asked: Asked) -> Answer | None:
        """After the first page, a row of a later one: its moment is beyond the window's end."""
        if len(api.asked) > 1 and api.rows[-1]["name"] == "row 39":
            api.rows[-1] = row(39, read_at + timedelta(seconds=5), name="changed", amount=7)
        return None

    api.asked.clear()
    api.faults.append(changes)
    report = mirror.at(read_at, full_refresh=True)
    api.faults.clear()
    assert report.published is not None
    assert report.published.deleted == 1, "only the row that is gone"
    assert {each["id"]: each["name"] for each in mirror.rows()}.get(39) == "changed"
    assert report.plan is not None
    assert any("the next run reads them again" in note for note in report.plan.window.notes)
    assert report.plan.window.cursor is not None
    assert datetime.fromisoformat(report.plan.window.cursor.value["value"]) == read_at, "no further than what is sure"

    later = mirror.at(NOW + timedelta(minutes=20))
    assert later.books.extracted == 1, "the changed row once more"
    assert sorted(each["id"] for each in mirror.rows()) == [n for n in range(40) if n != 5]


def test_a_row_set_aside_beyond_the_end_is_set_aside_once(mirror: Mirror, api: FakeApi) -> None:
    mirror.at(NOW + timedelta(minutes=1))
    read_at = NOW + timedelta(minutes=10)
    api.rows[3] = row(3, read_at + timedelta(seconds=5), amount="no number")
    first = mirror.at(read_at, full_refresh=True)
    again = mirror.at(NOW + timedelta(minutes=20))
    assert (first.books.quarantined, again.books.quarantined, again.books.duplicates) == (1, 0, 1)
    assert 3 in {each["id"] for each in mirror.rows()}, "kept as it was"
