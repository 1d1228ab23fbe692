"""An API that nobody has written a spec for, read from its address alone (CON-29)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from dativo_provider.connectors.json_api.reader import JsonApiReader
from dativo_provider.errors import ConfigurationError, CredentialError, DataError, DativoError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Window, WindowRequest
from tests.conformance.readers import CONTRACT, ReaderConformance, ReaderWorld, Row
from tests.connectors.rest.fake import Answer, FakeApi, serving
from tests.support import proves, requirement


@pytest.fixture
def api() -> Iterator[FakeApi]:
    made = FakeApi()
    with serving(made) as made.url:
        yield made


class JsonApiWorld(ReaderWorld):
    def __init__(self, api: FakeApi) -> None:
        super().__init__()
        self.api = api

    def source(self) -> SourceSpec:
        return self._source({"token": self.api.token})

    def _source(self, connection: Mapping[str, Any], **options: Any) -> SourceSpec:
        known = {
            "url": f"{self.api.url}/cursor", "records": "items", "params": {"since": "{lo:iso}", "until": "{hi:iso}"},
            "paginate": {"type": "cursor", "param": "cursor", "next": "meta.next", "more": "meta.has_more"},
            "incremental": {"cursor": "updated_at", "precision": "microsecond", "bounded": True},
            "columns": {"id": "long", "name": "string", "amount": "decimal(18,4)", "updated_at": "timestamptz"},
        }  # fmt: skip
        given = {name: value for name, value in {**known, **options}.items() if value is not None}
        return SourceSpec("json_api", connection, options=given, rate_limits={"retry": {"max_retries": 0}})

    def stream(self, incremental: bool = False) -> StreamSpec:
        increment = IncrementalSpec("updated_at", "updated_at", lag_seconds=0) if incremental else IncrementalSpec()
        return StreamSpec("events", "events", "events", CONTRACT, incremental=increment)

    def add(self, rows: Sequence[Row]) -> None:
        with self.api.lock:
            self.api.rows += [{**each, "updated_at": _iso(each["updated_at"])} for each in rows]
            self.api.page = 100 if len(self.api.rows) < 10_000 else 5_000

    def broken(self) -> Mapping[str, tuple[SourceSpec, type[DativoError]]]:
        good = {"token": self.api.token}
        return {
            "a wrong token": (self._source({"token": "wr0ngs3cret"}), CredentialError),
            "an unknown option": (self._source(good, recods="items"), ConfigurationError),
            "no address": (self._source(good, url=None), ConfigurationError),
            "no http": (self._source(good, url="file:///etc/passwd"), ConfigurationError),
            "records elsewhere": (self._source(good, columns=None, records="data"), DataError),
        }

    def stamp(self, window: Window | None = None) -> datetime:
        if window is not None and window.hi is not None:
            return datetime.fromisoformat(str(window.hi)).astimezone(UTC)
        return self.clock

    def open(self, source: SourceSpec, ctx: RunContext) -> Reader:
        return JsonApiReader(source, ctx)


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@requirement("CON-29")
class TestJsonApi(ReaderConformance):
    connectors = ("json_api",)

    @pytest.fixture
    def world(self, api: FakeApi) -> JsonApiWorld:
        return JsonApiWorld(api)


@proves("memory", "json_api", "rest")
def test_few_pages_are_on_their_way_however_many_there_are(api: FakeApi) -> None:
    api.rows = [{"id": number, "name": "x", "updated_at": "2026-03-01T12:00:00Z"} for number in range(60_000)]
    api.page, given, waiting = 500, 0, 0
    with closing(JsonApiReader(JsonApiWorld(api).source(), RunContext(Settings(home="")))) as reader:
        stream = JsonApiWorld(api).stream()
        [piece] = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
        for batch in reader.read(stream, piece):
            waiting = max(waiting, len(api.asked) * api.page - given)
            given += batch.rows
    assert given == 60_000
    assert waiting <= 15_000


def whole(source: SourceSpec) -> tuple[list[str], list[dict[str, Any]]]:
    """The columns as `describe` tells them, and the rows, each by a reader of its own."""
    ctx = RunContext(Settings(home=""))
    stream = StreamSpec("things", "things", "things", ContractSpec(""))
    reader = JsonApiReader(source, ctx)
    fields = [f"{each.name} {each.type}" for each in reader.describe(stream).fields]
    window = reader.window(stream, WindowRequest(full=True))
    pieces = reader.slices(stream, window, 1)
    reading = JsonApiReader(source, ctx)
    return fields, [row for piece in pieces for batch in reading.read(stream, piece) for row in batch.data.to_pylist()]


def at(api: FakeApi, path: str, **options: Any) -> SourceSpec:
    return SourceSpec("json_api", {"token": api.token}, options={"url": f"{api.url}/{path}", **options})


@requirement("CON-29")
def test_an_address_is_enough_for_a_table(api: FakeApi) -> None:
    api.rows = [{"id": 1, "name": "a", "amount": 1.5, "tags": ["x"]}, {"id": 2, "name": None, "late": True}]
    fields, rows = whole(at(api, "single?unused=1", records="items"))
    assert fields == ["id long", "name string", "amount double", "tags list<string>", "late boolean"]
    assert rows == [
        {"id": 1, "name": "a", "amount": 1.5, "tags": ["x"], "late": None},
        {"id": 2, "name": None, "amount": None, "tags": None, "late": True},
    ]
    assert all(each.query["unused"] == "1" for each in api.asked)


def test_columns_shown_by_the_first_page_are_asked_for_once_a_plan_and_not_again_by_tasks(api: FakeApi) -> None:
    api.rows = [{"id": number} for number in range(250)]
    _, rows = whole(at(api, "page", records="items", paginate={"type": "page", "param": "page", "size": 100}))
    assert [row["id"] for row in rows] == list(range(250))
    assert len(api.asked) == 1 + 4, "the last of them is empty"


def test_a_key_in_a_header_and_settings_of_the_jobs_own(api: FakeApi) -> None:
    seen: list[tuple[str, str]] = []

    def door(asked: Any) -> Answer:
        seen.append((asked.headers.get("x-key", ""), asked.path))
        return Answer(body=[{"id": 1}])

    api.faults = [door]
    source = SourceSpec(
        "json_api", {"api_key": "k3y", "shop": "berlin"},
        options={"url": f"{api.url}/shops/{{shop}}/items", "auth": {"type": "api_key", "header": "X-Key"}},
    )  # fmt: skip
    assert whole(source)[1] == [{"id": 1}]
    assert set(seen) == {("k3y", "/shops/berlin/items")}


def test_a_parameter_that_an_address_repeats_is_asked_for_with_each_of_its_values(api: FakeApi) -> None:
    api.rows = [{"id": 1}]
    whole(at(api, "single?status=open&status=paid&empty=", records="items"))
    assert all(each.queries == {"status": ["open", "paid"], "empty": [""]} for each in api.asked)
