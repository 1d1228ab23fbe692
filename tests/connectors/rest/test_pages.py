"""Every way of paging gives every record once, whatever happens on the way."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from dativo_provider.config.problems import InvalidConfig
from dativo_provider.connectors.rest.client import Client
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import ConfigurationError, CredentialError, SourceChanged, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, Slice, WindowRequest
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.toy import SPEC, STYLES, text
from tests.support import requirement

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    found = FakeApi()
    with serving(found):
        yield found


def add(api: FakeApi, count: int, *, every: timedelta = timedelta(seconds=1), first: int = 1) -> None:
    moments = [(number, START + (number - 1) * every) for number in range(first, first + count)]
    api.rows += [
        {"id": number, "name": f"row {number}", "amount": 1.5, "updated_at": at.isoformat().replace("+00:00", "Z")}
        for number, at in moments
    ]


def reader(api: FakeApi, spec: dict[str, Any] = SPEC, **retry: Any) -> RestReader:
    limits = {"retry": {"max_retries": 6, "max_backoff_seconds": 0.01, **retry}}
    source = SourceSpec(
        "rest", {"base_url": api.url, "token": api.token}, options={"spec": text(spec)}, rate_limits=limits
    )
    return RestReader(source, RunContext(Settings(home=""), now=lambda: START + timedelta(days=1)))


def ids(made: RestReader, style: str, lo: datetime | None = None, hi: datetime | None = None) -> list[int]:
    spec = StreamSpec(style, style, "t", contract=_none())
    piece = Slice(0, style, {"lo": lo and lo.isoformat(), "hi": hi and hi.isoformat()})
    return [each["id"] for batch in made.read(spec, piece) for each in batch.data.to_pylist()]


def _none() -> Any:
    from dativo_provider.model.job import ContractSpec

    return ContractSpec("events")


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 100, 101, 350])
def test_every_record_comes_once(api: FakeApi, style: str, count: int) -> None:
    add(api, count)
    assert sorted(ids(reader(api), style)) == list(range(1, count + 1))


@pytest.mark.parametrize("style", STYLES)
@requirement("ERR-02", "PRF-01")
def test_faults_between_pages_lose_and_double_nothing(api: FakeApi, style: str) -> None:
    """Every third request fails in another way."""
    faults = [
        Answer(500, {"message": "oops"}),
        Answer(429, {}, {"Retry-After": "0"}),
        Answer(200, b"<html>please log in</html>"),
        Answer(200, b'{"items": [{"id": 1'),
        Answer(200, {"items": [{"id": 1}]}, cut=True),
        Answer(503, b""),
    ]
    numbers = iter(range(10_000))
    api.faults.append(lambda asked: random.choice(faults) if next(numbers) % 3 == 1 else None)
    add(api, 730)
    assert sorted(ids(reader(api, budget_seconds=60), style)) == list(range(1, 731))


@pytest.mark.parametrize("style", [style for style in STYLES if style != "graphql"])
def test_a_window_holds_what_changed_in_it_and_nothing_else(api: FakeApi, style: str) -> None:
    """Some of these APIs keep to no bound, or to seconds: what they give too much is left out."""
    add(api, 300, every=timedelta(milliseconds=500))
    found = ids(reader(api), style, START + timedelta(seconds=50), START + timedelta(seconds=100))
    assert sorted(found) == list(range(101, 201))


def test_an_edge_second_is_read_once_although_pages_share_it(api: FakeApi) -> None:
    add(api, 250, every=timedelta(milliseconds=35))  # 28 records in each second, some on either side of a page's end
    assert sorted(ids(reader(api), "time")) == list(range(1, 251))


def test_a_second_with_more_records_than_a_page_holds_is_told(api: FakeApi) -> None:
    add(api, 250, every=timedelta(milliseconds=1))
    with pytest.raises(SourceChanged, match="more than 100 records have the moment"):
        ids(reader(api), "time")


def test_pages_that_go_round_in_a_circle_end_with_an_error(api: FakeApi) -> None:
    add(api, 300)
    api.faults.append(
        lambda asked: Answer(body={"items": [], "meta": {"has_more": True, "next": "7"}})
        if asked.query.get("cursor") else None
    )  # fmt: skip
    with pytest.raises(SourceUnavailable, match="circle"):
        ids(reader(api, max_retries=0), "cursor")


@pytest.mark.parametrize("style", ["next", "link"])
@requirement("SEC-05")
def test_a_next_page_on_another_host_is_not_asked_for(api: FakeApi, style: str) -> None:
    """The token would go there too."""
    add(api, 300)
    stranger = FakeApi()
    with serving(stranger):
        away = f"{stranger.url}/{style}?page=2"
        body: Any = [] if style == "link" else {"items": [], "next": away}
        api.faults.append(lambda asked: Answer(body=body, headers={"Link": f'<{away}>; rel="next"'}))
        with pytest.raises(ConfigurationError, match="a page was asked for from"):
            ids(reader(api), style)
        assert stranger.asked == []


def test_a_redirection_to_another_host_is_not_followed(api: FakeApi) -> None:
    stranger = FakeApi()
    with serving(stranger):
        api.faults.append(lambda asked: Answer(302, b"", {"Location": f"{stranger.url}/single"}))
        with pytest.raises(ConfigurationError, match="a page was asked for from"):
            ids(reader(api), "single")
        assert stranger.asked == []


def test_the_request_carries_the_window_the_version_and_the_token(api: FakeApi) -> None:
    ids(reader(api), "cursor", START, START + timedelta(hours=1))
    asked = api.asked[-1]
    assert asked.query == {"since": "2026-03-01T12:00:00.000000Z", "until": "2026-03-01T13:00:00.000000Z"}
    assert asked.headers["toy-version"] == "2026-11-01"
    assert asked.headers["authorization"] == f"Bearer {api.token}"


def test_what_is_no_record_is_set_aside_with_its_text(api: FakeApi) -> None:
    api.rows = [{"id": 1, "updated_at": "2026-03-01T12:00:00Z"}, None, "text", [1]]  # type: ignore[list-item]
    made = reader(api)
    batches = list(made.read(StreamSpec("single", "single", "t", _none()), Slice(0, "single")))
    rejects = [each for batch in batches for each in batch.rejects]
    assert [each.raw for each in rejects] == ["null", '"text"', "[1]"]
    assert made.result().rows == 4


@requirement("ING-20")
def test_a_value_of_another_type_makes_its_column_text_and_the_others_stay(api: FakeApi) -> None:
    add(api, 3)
    api.rows[1]["id"] = "two"
    batches = list(reader(api).read(StreamSpec("single", "single", "t", _none()), Slice(0, "single")))
    data = batches[0].data
    assert data.column("id").to_pylist() == ["1", "two", "3"]
    assert str(data.schema.field("amount").type) == "decimal128(18, 4)"


def test_fields_that_the_spec_does_not_know_are_told(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    add(api, 3)
    for each in api.rows:
        each["loyalty"] = 1
    made = reader(api)
    list(made.read(StreamSpec("single", "single", "t", _none()), Slice(0, "single")))
    assert made.result().detail["unknown_fields"] == ["loyalty"]
    assert "loyalty" in caplog.text


def test_columns_that_the_job_leaves_out_are_no_news(api: FakeApi) -> None:
    add(api, 3)
    for each in api.rows:
        each["loyalty"] = 1
    made = reader(api)
    list(made.read(StreamSpec("single", "single", "t", _none(), columns=("id",)), Slice(0, "single")))
    assert made.result().detail["unknown_fields"] == ["loyalty"]


def test_a_field_that_only_the_contract_knows_is_read(api: FakeApi) -> None:
    from dativo_provider.model.job import ContractSpec
    from dativo_provider.model.stream import Field

    add(api, 2)
    for each in api.rows:
        each["custom_tier"] = "gold"
    spec = StreamSpec("single", "single", "t", ContractSpec("events", fields=(Field("custom_tier"),)))
    made = reader(api)
    assert [each.name for each in made.describe(spec).fields][-1] == "custom_tier"
    rows = [each for batch in made.read(spec, Slice(0, "single")) for each in batch.data.to_pylist()]
    assert {each["custom_tier"] for each in rows} == {"gold"}


def test_an_unknown_stream_is_answered_with_the_nearest(api: FakeApi) -> None:
    with pytest.raises(ConfigurationError) as caught:
        reader(api).describe(StreamSpec("cursr", "cursr", "t", _none()))
    assert "cursor" in caught.value.remedy
    assert api.asked == []


# positions that only the API understands ---------------------------------------------------------------------


def token_spec() -> dict[str, Any]:
    stream = SPEC["streams"]["cursor"] | {
        "incremental": {"token": {"path": "meta.position", "param": "position"}},
        "request": "/cursor",
    }
    return SPEC | {"streams": {"cursor": stream}}


def test_a_position_of_the_api_is_kept_and_shown_to_it_again(api: FakeApi) -> None:
    def positioned(asked: Asked) -> Answer:
        start = int(asked.query.get("position", 0))
        found = [each for each in api.rows if each["id"] > start]
        last = found[-1]["id"] if found else start
        return Answer(body={"items": found, "meta": {"has_more": False, "position": last}})

    api.faults.append(positioned)
    spec = StreamSpec("cursor", "cursor", "t", _none(), incremental=IncrementalSpec("updated_at"))
    cursor: Cursor | None = None
    for first, count in ((1, 5), (6, 2), (8, 0)):
        add(api, count, first=first)
        made = reader(api, token_spec())
        window = made.window(spec, WindowRequest(since=cursor))
        piece = made.slices(spec, window, 4)
        assert len(piece) == 1
        rows = [each["id"] for batch in made.read(spec, piece[0]) for each in batch.data.to_pylist()]
        assert rows == list(range(first, first + count))
        cursor = made.next_cursor(window, [made.result()], cursor)
    assert cursor == Cursor({"token": 7})


def test_what_hangs_on_a_stream_with_a_position_follows_it(api: FakeApi) -> None:
    def positioned(asked: Asked) -> Answer | None:
        if asked.path.startswith("/comments/"):
            return commented(asked)
        found = [each for each in api.rows if each["id"] > int(asked.query.get("position", 0))]
        return Answer(body={"items": found, "meta": {"has_more": False, "position": found[-1]["id"]}})

    api.faults.append(positioned)
    spec = comments_spec()
    spec["streams"]["cursor"] = token_spec()["streams"]["cursor"]
    stream = StreamSpec("comments", "comments", "t", _none(), incremental=IncrementalSpec("updated_at"))
    cursor, told = None, []
    for first in (1, 6):
        add(api, 5, first=first)
        made = reader(api, spec)
        window = made.window(stream, WindowRequest(since=cursor))
        [piece] = made.slices(stream, window, 1)
        told.append({each["row"] for batch in made.read(stream, piece) for each in batch.data.to_pylist()})
        cursor = made.next_cursor(window, [made.result()], cursor)
    assert told == [{1, 2, 4, 5}, {7, 8}]
    assert cursor == Cursor({"token": 10})


def test_a_moment_pages_on_while_the_answer_names_a_next_page(api: FakeApi) -> None:
    """However many records the API thinks a page has."""
    add(api, 250)
    for each in api.rows:
        each["updated_at"] = (START + timedelta(seconds=each["id"])).isoformat()
    api.page = 60
    stream = SPEC["streams"]["time"] | {"paginate": STYLES["time"] | {"size": 1000, "end": "end"}}
    assert ids(reader(api, SPEC | {"streams": {"time": stream}}), "time") == list(range(1, 251))
    api.faults.append(lambda asked: Answer(body=_told_as_next(api, asked)))
    named = SPEC["streams"]["time"] | {"paginate": STYLES["time"] | {"size": 1000, "end": "", "more": "next_page"}}
    assert ids(reader(api, SPEC | {"streams": {"time": named}}), "time") == list(range(1, 251))


def _told_as_next(api: FakeApi, asked: Asked) -> dict[str, Any]:
    found = dict(api._time(asked).body)
    return found | {"next_page": None if found.pop("end") else "https://elsewhere.example/"}


@requirement("ERR-01")
def test_a_right_that_is_missing_is_named_by_the_spec(api: FakeApi) -> None:
    api.faults.append(lambda asked: Answer(403, {"message": "no"}))
    spec = SPEC | {"streams": {"single": SPEC["streams"]["single"] | {"permission": "rows:read"}}}
    with pytest.raises(CredentialError) as caught:
        ids(reader(api, spec), "single")
    assert caught.value.remedy.endswith("; it takes rows:read")


def test_the_newest_moment_that_was_seen_is_kept_beside_where_the_window_ended(api: FakeApi) -> None:
    stream = StreamSpec("single", "single", "t", _none(), incremental=IncrementalSpec("updated_at", lag_seconds=0))
    cursor: Cursor | None = None
    told = []
    for count in (3, 0):
        add(api, count)
        made = reader(api)
        window = made.window(stream, WindowRequest(since=cursor))
        found = [list(made.read(stream, piece)) for piece in made.slices(stream, window, 1)]
        assert found or window.kind == "empty"
        cursor = made.next_cursor(window, [made.result()] if found else [], cursor)
        assert cursor is not None
        told.append(cursor.value.get("newest"))
        api.rows.clear()
    assert told == [(START + timedelta(seconds=2)).isoformat()] * 2


# changes -----------------------------------------------------------------------------------------------------


def events_spec(**increment: Any) -> dict[str, Any]:
    changes = {
        "request": {"path": "/single", "params": {"kind": "event"}},
        "records": "items", "each": "object", "deleted": {"type": "*.deleted"}, "paginate": {"type": "single"},
    }  # fmt: skip
    found = {"moment": "created", "format": "epoch", "latest": True, "changes": changes, "kept": "30d", **increment}
    return SPEC | {"streams": {"cursor": SPEC["streams"]["cursor"] | {"incremental": found, "request": "/cursor"}}}


def test_later_runs_read_changes_and_deletes_and_keep_the_newest_of_a_key(api: FakeApi) -> None:
    def event(kind: str, second: int, number: int, name: str) -> dict[str, Any]:
        at = int(START.timestamp()) + second
        return {"type": f"row.{kind}", "created": at, "object": {"id": number, "name": name}}

    found = [event("updated", 9, 1, "newest"), event("updated", 5, 1, "older"), event("deleted", 4, 2, "gone"),
             event("updated", 1, 3, "before")]  # fmt: skip
    api.faults.append(lambda asked: Answer(body={"items": found}) if asked.query.get("kind") == "event" else None)
    spec = StreamSpec("cursor", "cursor", "t", _none(), incremental=IncrementalSpec("updated_at", lag_seconds=0))
    made = reader(api, events_spec())
    since = Cursor({"column": "created", "type": "timestamptz", "value": (START + timedelta(seconds=2)).isoformat()})
    window = made.window(spec, WindowRequest(since=since))
    batches = [batch for piece in made.slices(spec, window, 1) for batch in made.read(spec, piece)]
    rows = [(each["id"], each["name"]) for batch in batches for each in batch.data.to_pylist()]
    assert rows == [(1, "newest"), (2, "gone")]
    assert batches[0].ops is not None
    assert batches[0].ops.to_pylist() == ["upsert", "delete"]


def test_state_older_than_the_api_keeps_changes_reads_everything(api: FakeApi) -> None:
    spec = StreamSpec("cursor", "cursor", "t", _none(), incremental=IncrementalSpec("updated_at"))
    since = Cursor({"column": "created", "type": "timestamptz", "value": "2026-01-01T00:00:00+00:00"})
    window = reader(api, events_spec()).window(spec, WindowRequest(since=since))
    assert window.kind == "full"
    assert "what was deleted meanwhile" in window.notes[0]


def test_a_range_from_before_the_api_kept_changes_is_refused(api: FakeApi) -> None:
    spec = StreamSpec("cursor", "cursor", "t", _none(), incremental=IncrementalSpec("updated_at"))
    with pytest.raises(ConfigurationError, match="for 30 days, and the range begins before"):
        reader(api, events_spec()).window(spec, WindowRequest(start="2026-01-01", end="2026-02-01"))
    assert reader(api, events_spec()).window(spec, WindowRequest(start="2026-02-20")).kind == "range"


# what hangs on other records ---------------------------------------------------------------------------------


def comments_spec(**parts: Any) -> dict[str, Any]:
    comments = {
        "request": "/comments/{parent.row}", "records": "items", "paginate": {"type": "single"},
        "parent": {"stream": "cursor", "values": {"row": "id"}},
        "columns": {"row": {"type": "long", "path": "parent.row"}, "text": "string"},
        "incremental": {"by_parent": True}, **parts,
    }  # fmt: skip
    return SPEC | {"streams": {"cursor": SPEC["streams"]["cursor"], "comments": comments}}


def commented(asked: Asked) -> Answer | None:
    """Every tenth parent is gone by now, every third has no comment."""
    if not asked.path.startswith("/comments/"):
        return None
    row = int(asked.path.rpartition("/")[2])
    if row % 10 == 0:
        return Answer(404, {"message": "deleted"})
    return Answer(body={"items": [{"text": f"{row}.{number}"} for number in range(row % 3)]})


def comments(api: FakeApi, spec: dict[str, Any], lo: datetime | None = None) -> tuple[list[tuple[int, str]], int]:
    made = reader(api, spec)
    piece = Slice(0, "comments", {"lo": lo.isoformat(), "hi": "2027-01-01T00:00:00+00:00"} if lo else {})
    batches = list(made.read(StreamSpec("comments", "comments", "t", _none()), piece))
    rows = [(each["row"], each["text"]) for batch in batches for each in batch.data.to_pylist()]
    return rows, int(made.result().detail.get("parents_gone", 0))


def test_records_are_asked_for_by_those_they_hang_on_in_their_order(api: FakeApi) -> None:
    add(api, 230)
    api.faults.append(commented)
    rows, gone = comments(api, comments_spec())
    wanted = [(row, f"{row}.{number}") for row in range(1, 231) if row % 10 for number in range(row % 3)]
    assert rows == wanted
    assert gone == 23


def test_later_runs_ask_only_for_parents_that_changed(api: FakeApi) -> None:
    add(api, 50)
    api.faults.append(commented)
    rows, _ = comments(api, comments_spec(), START + timedelta(seconds=40))
    assert {row for row, _ in rows} == {41, 43, 44, 46, 47, 49}
    spec = StreamSpec("comments", "comments", "t", _none(), incremental=IncrementalSpec("updated_at"))
    assert reader(api, comments_spec()).window(spec, WindowRequest()).column == "updated_at"


def test_a_parent_that_is_gone_fails_the_run_where_the_spec_wants_that(api: FakeApi) -> None:
    add(api, 20)
    api.faults.append(commented)
    parent = {"stream": "cursor", "values": {"row": "id"}, "missing": "fail"}
    with pytest.raises(SourceChanged, match="404: deleted"):
        comments(api, comments_spec(parent=parent))


@requirement("REG-08")
def test_an_api_that_leaves_out_the_bound_is_asked_from_a_step_before(api: FakeApi) -> None:
    """What changed at the very second at which the last run ended belongs to this one."""
    add(api, 3)
    shown = lambda at: at.isoformat().replace("+00:00", "Z")  # noqa: E731
    api.faults.append(lambda asked: Answer(body={"items": [
        each for each in api.rows if each["updated_at"] > asked.query["since"]]}))  # fmt: skip
    stream = SPEC["streams"]["single"]
    found = stream | {"incremental": stream["incremental"] | {"after": True, "precision": "second"}}
    made = reader(api, SPEC | {"streams": {"single": found}})
    assert ids(made, "single", START + timedelta(seconds=1), START + timedelta(seconds=2)) == [2]
    assert api.asked[-1].query["since"] == shown(START).replace("Z", ".000000Z")


# words of a stream ---------------------------------------------------------------------------------------------


def one(**stream: Any) -> dict[str, Any]:
    """The spec with this one stream."""
    return SPEC | {"streams": {"single": SPEC["streams"]["single"] | stream}}


def table(made: RestReader, name: str = "single") -> Any:
    import pyarrow as pa

    batches = made.read(StreamSpec(name, name, "t", _none()), Slice(0, name))
    return pa.Table.from_batches([batch.data for batch in batches])


@requirement("ING-20")
def test_fields_that_the_spec_ignores_are_not_told(api: FakeApi) -> None:
    add(api, 3)
    for each in api.rows:
        each |= {"loyalty": 1, "html_url": "x", "_links": {}, "object": "row"}
    made = reader(api, one(ignore=["*_url", "object"]) | {"ignore": ["_*"]})
    table(made)
    assert made.result().detail["unknown_fields"] == ["loyalty"]


def test_base64_becomes_text_or_bytes(api: FakeApi) -> None:
    add(api, 3)
    for each, text_ in zip(api.rows, ("aGVs\nbG8=\n", None, "/w=="), strict=True):
        each |= {"content": text_}
    columns = {"content": {"type": "string", "form": "base64"},
               "raw": {"type": "binary", "path": "content", "form": "base64"}}  # fmt: skip
    found = table(reader(api, one(columns=columns, key=[], incremental=None)))
    assert found["content"].to_pylist() == ["hello", None, None]
    assert found["raw"].to_pylist() == [b"hello", None, b"\xff"]


def test_what_is_no_base64_makes_the_column_text_and_only_its_row_is_wrong(api: FakeApi) -> None:
    add(api, 2)
    for each, text_ in zip(api.rows, ("aGVsbG8=", "not base64!"), strict=True):
        each |= {"content": text_}
    columns = {"content": {"type": "binary", "form": "base64"}}
    found = table(reader(api, one(columns=columns, key=[], incremental=None)))
    assert found["content"].to_pylist() == ["\\x68656c6c6f", "not base64!"]  # how the pipeline reads bytes as text


@pytest.mark.parametrize(("lookback", "kind"), [(0, "empty"), (3600, "incremental")])
def test_a_run_in_the_second_of_the_one_before_still_looks_back(api: FakeApi, lookback: int, kind: str) -> None:
    increment = IncrementalSpec("updated_at", lag_seconds=0, lookback_seconds=lookback)
    stream, made = StreamSpec("single", "single", "t", _none(), incremental=increment), reader(api)
    first = made.window(stream, WindowRequest())
    second = made.window(stream, WindowRequest(since=first.cursor))
    assert (second.kind, second.cursor) == (kind, first.cursor)
    assert (second.lo, second.overlap) == (
        ((START + timedelta(days=1, seconds=-lookback)).isoformat(), True) if lookback else (None, False)
    )


def test_a_window_ends_where_the_api_finds_every_change(api: FakeApi) -> None:
    stream = StreamSpec("single", "single", "t", _none(), incremental=IncrementalSpec("updated_at", lag_seconds=0))
    lagging = one(incremental={"cursor": "updated_at", "lag": "5m"})
    window = reader(api, lagging).window(stream, WindowRequest())
    assert window.hi == (START + timedelta(days=1) - timedelta(minutes=5)).isoformat()
    slower = StreamSpec("single", "single", "t", _none(), incremental=IncrementalSpec("updated_at", lag_seconds=900))
    assert (
        reader(api, lagging).window(slower, WindowRequest()).hi
        == (START + timedelta(days=1) - timedelta(minutes=15)).isoformat()
    )


@pytest.mark.parametrize("style", ["cursor", "offset", "page", "next", "search", "time"])
def test_an_answer_that_means_empty_is_a_page_without_records(api: FakeApi, style: str) -> None:
    add(api, 250)
    rule = {"status": 409, "where": {"message": "* is empty"}, "means": "empty"}
    assert ids(reader(api, SPEC | {"errors": [rule]}), style)[:1]
    api.faults.append(lambda asked: Answer(409, {"message": "this one is empty"}, {"Link": "</x>; rel=next"}))
    assert ids(reader(api, SPEC | {"errors": [rule]}), style) == []


def test_a_listing_has_a_limit_of_its_own(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = events_spec()
    stream = spec["streams"]["cursor"] | {"limit": "lists"}
    stream["incremental"]["changes"]["limit"] = "events"
    limits = {"lists": {"requests": 1000, "per": 1}, "events": {"requests": 1000, "per": 1}}
    made = reader(api, spec | {"streams": {"cursor": stream}, "limits": limits})
    taken: list[str] = []
    paces = Client._paces

    def noted(self: Client, names: Sequence[str]) -> Any:
        taken.extend(names)
        return paces(self, names)

    monkeypatch.setattr(Client, "_paces", noted)
    ids(made, "cursor")
    assert set(taken) == {"lists"}
    taken.clear()
    ids(made, "cursor", START, START + timedelta(hours=1))
    assert set(taken) == {"events"}


# fields that users add -----------------------------------------------------------------------------------------


def custom_spec(body: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    told = {
        "request": "/properties", "records": "results", "label": "label",
        "types": {"number": "decimal(18,2)", "date": "date"}, "skip": [{"hidden": True}, {"builtin": True}],
        "under": "props", **fields,
    }  # fmt: skip
    request: dict[str, Any] = {"path": "/single", "params": {"props": "{columns}", "q": "SELECT {columns} FROM x"}}
    if body is not None:
        request = {"path": "/single", "method": "POST", "body": body}
    columns = {"id": {"type": "long", "path": "props.id"}, "name": {"path": "props.name"}, "url": "string",
               "size": {"type": "long", "path": "props.name", "form": "text_length"}}  # fmt: skip
    return one(request=request, columns=columns, fields=told, incremental=None)


def customized(api: FakeApi) -> None:
    properties = [
        {"name": "name", "type": "string", "builtin": True}, {"name": "secret", "type": "string", "hidden": True},
        {"name": "budget", "type": "number", "label": "What they may spend"}, {"name": "since", "type": "date"},
        {"name": "mood", "type": "enumeration"}, {"name": "mood", "type": "enumeration"},
    ]  # fmt: skip
    api.faults.append(lambda asked: Answer(body={"results": properties}) if asked.path == "/properties" else None)
    api.rows = [{"url": "u", "props": {"id": "1", "name": "a", "budget": "12.50", "since": "2026-03-01", "mood": "x"}}]


@requirement("CON-02", "ING-20")
def test_fields_that_users_added_become_columns_and_are_asked_for(api: FakeApi) -> None:
    customized(api)
    stream, made = StreamSpec("single", "single", "t", _none()), reader(api, custom_spec())
    described = {each.name: (each.type, each.description) for each in made.describe(stream).fields}
    assert list(described) == ["id", "name", "url", "size", "budget", "since", "mood"]
    assert described["budget"] == ("decimal(18,2)", "What they may spend")
    assert [each.name for each in made.discover()[0].fields] == list(described)
    window = made.window(stream, WindowRequest())
    (piece,) = made.slices(stream, window, 1)
    rows = [each for batch in reader(api, custom_spec()).read(stream, piece) for each in batch.data.to_pylist()]
    assert rows == [{"id": "1", "name": "a", "url": "u", "size": 1, "budget": "12.50", "since": "2026-03-01",
                     "mood": "x"}]  # fmt: skip
    assert api.asked[-1].query == {
        "props": "id,name,budget,since,mood", "q": "SELECT id,name,budget,since,mood FROM x",
    }  # fmt: skip
    assert [each.path for each in api.asked].count("/properties") == 1, "a task reads what was planned"


def test_a_body_names_the_columns_as_a_list(api: FakeApi) -> None:
    customized(api)
    table(reader(api, custom_spec({"properties": "{columns}", "query": "({columns})"})))
    assert api.asked[-1].body == {
        "properties": ["id", "name", "budget", "since", "mood"], "query": "(id,name,budget,since,mood)",
    }  # fmt: skip


def test_a_job_that_names_columns_asks_for_these_and_the_key(api: FakeApi) -> None:
    customized(api)
    stream = StreamSpec("single", "single", "t", _none(), columns=("name",))
    list(reader(api, custom_spec()).read(stream, Slice(0, "single")))
    assert [each.path for each in api.asked] == ["/single"]
    assert api.asked[-1].query["props"] == "name,id"
    stream = StreamSpec("single", "single", "t", _none(), columns=("name", "mood"))
    list(reader(api, custom_spec()).read(stream, Slice(0, "single")))
    assert api.asked[-1].query["props"] == "name,mood,id"


def test_a_field_that_only_the_contract_knows_is_asked_for_too(api: FakeApi) -> None:
    from dativo_provider.model.job import ContractSpec
    from dativo_provider.model.stream import Field

    customized(api)
    stream = StreamSpec("single", "single", "t", ContractSpec("events", fields=(Field("tier"),)))
    list(reader(api, custom_spec()).read(stream, Slice(0, "single", {"fields": {}})))
    assert api.asked[-1].query["props"] == "id,name,tier"


def test_streams_are_listed_without_fields_that_the_credentials_may_not_see(
    api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.faults.append(lambda asked: Answer(403, {"message": "scope"}) if asked.path == "/properties" else None)
    found = reader(api, custom_spec()).discover()
    assert [each.name for each in found[0].fields] == ["id", "name", "url", "size"]
    assert "fields of your own are not listed" in caplog.text


# rows inside of records, many parents at once, lists of what is gone ------------------------------------------


def linked_spec(**parts: Any) -> dict[str, Any]:
    """Associations as HubSpot gives them: asked for by many ids, several rows in each record."""
    links = {
        "request": {"path": "/links", "method": "POST", "body": {"inputs": "{parents}", "ids": "{parent.id}"}},
        "records": "results", "rows": "to", "paginate": {"type": "single"},
        "parent": {"stream": "cursor", "values": {"id": "id"}, "where": {"name": "row *"}, "batch": 100},
        "columns": {"row": {"type": "long", "path": "item.from.id"}, "to": {"type": "string", "path": "id"}},
        "only": {"type": "customer"}, "key": ["row", "to"], **parts,
    }  # fmt: skip
    return SPEC | {"streams": {"cursor": SPEC["streams"]["cursor"], "links": links}}


def linked(asked: Asked) -> Answer | None:
    if asked.path != "/links":
        return None
    results = [
        {"from": {"id": row}, "to": [{"id": f"{row}.{number}", "type": "customer"} for number in range(row % 3)]
         + [{"id": "x", "type": "other"}]}
        for row in asked.body["ids"]
    ]  # fmt: skip
    return Answer(body={"results": results})


@requirement("CON-02")
def test_many_parents_are_asked_for_at_once_and_each_row_knows_its_own(api: FakeApi) -> None:
    add(api, 250)
    api.rows[0]["name"] = "left out"
    api.faults.append(linked)
    found = table(reader(api, linked_spec()), "links").to_pylist()
    assert [(each["row"], each["to"]) for each in found] == [
        (row, f"{row}.{number}") for row in range(2, 251) for number in range(row % 3)
    ]
    asked = [each.body for each in api.asked if each.path == "/links"]
    assert sorted(len(each["ids"]) for each in asked) == [49, 100, 100]
    assert asked[0]["inputs"][:1] == [{"id": asked[0]["ids"][0]}]


def test_ids_of_many_parents_stand_in_an_address_with_commas(api: FakeApi) -> None:
    add(api, 3)
    api.faults.append(lambda asked: Answer(body={"results": []}) if asked.path.startswith("/links") else None)
    request = {"path": "/links/{parent.id}", "params": {"ids": "{parent.id}"}}
    table_of(reader(api, linked_spec(request=request)), "links")
    assert (api.asked[-1].path, api.asked[-1].query) == ("/links/1,2,3", {"ids": "1,2,3"})


def table_of(made: RestReader, name: str) -> list[Any]:
    return list(made.read(StreamSpec(name, name, "t", _none()), Slice(0, name)))


def test_a_request_for_many_parents_that_fails_is_no_parent_that_is_gone(api: FakeApi) -> None:
    add(api, 3)
    api.faults.append(lambda asked: Answer(404, {"message": "no"}) if asked.path == "/links" else None)
    with pytest.raises(SourceChanged, match="404"):
        table_of(reader(api, linked_spec()), "links")


def test_only_parents_that_are_said_are_asked_for(api: FakeApi) -> None:
    add(api, 30)
    api.faults.append(commented)
    parent = {"stream": "cursor", "values": {"row": "id"}, "where": {"name": ["row 4", "row 5"]}}
    rows, _ = comments(api, comments_spec(parent=parent))
    assert {row for row, _ in rows} == {4, 5}
    assert len([each for each in api.asked if each.path.startswith("/comments")]) == 2


def test_what_a_record_has_under_the_name_of_its_parent_hides_it_not(api: FakeApi) -> None:
    add(api, 1)
    items = [{"text": "a", "parent": {"row": "mine", "kind": "own"}}, {"text": "b", "parent": 7}]
    api.faults.append(lambda asked: Answer(body={"items": items}) if asked.path.startswith("/comm") else None)
    columns = {"row": {"type": "long", "path": "parent.row"}, "kind": {"path": "parent.kind"}, "text": "string"}
    rows = table(made := reader(api, comments_spec(columns=columns)), "comments").to_pylist()
    assert rows == [{"row": 1, "kind": "own", "text": "a"}, {"row": 1, "kind": None, "text": "b"}]
    assert "unknown_fields" not in made.result().detail


def gone_spec(**gone: Any) -> dict[str, Any]:
    told = {"request": {"path": "/archive", "params": {"from": "{lo:epoch}"}}, "records": "items",
            "paginate": {"type": "next_url", "next": "next"}, "key": {"id": "ref"}, "moment": "at",
            "format": "epoch", **gone}  # fmt: skip
    increment = {"cursor": "updated_at", "precision": "microsecond", "bounded": True, "gone": told}
    return one(incremental=increment)


@requirement("CON-02")
@pytest.mark.parametrize("dated", [True, False], ids=["with its moment", "without a moment"])
def test_what_a_list_of_its_own_says_is_gone_is_deleted_by_one_task(api: FakeApi, dated: bool) -> None:
    add(api, 10)
    second = int(START.timestamp())
    items = [{"ref": 4, "at": second + 5, "name": "x"}, {"ref": 5, "at": second + 1}, {"ref": 6, "at": second + 99}]
    items = items if dated else items[:1]
    api.faults.append(lambda asked: Answer(body={"items": items}) if asked.path == "/archive" else None)
    stream = StreamSpec("single", "single", "t", _none(), incremental=IncrementalSpec("updated_at", lag_seconds=0))
    made = reader(api, gone_spec() if dated else gone_spec(moment=""))
    since = Cursor({"column": "updated_at", "type": "timestamptz", "value": (START + timedelta(seconds=2)).isoformat()})
    window = made.window(stream, WindowRequest(since=since, end=None))
    window = replace(window, hi=(START + timedelta(seconds=8)).isoformat())
    pieces = made.slices(stream, window, 3)
    rows = [
        (row["id"], row["updated_at"], op) for piece in pieces for batch in made.read(stream, piece)
        for row, op in zip(batch.data.to_pylist(), _ops(batch), strict=True)
    ]  # fmt: skip
    assert [(key, op) for key, _, op in rows] == [*((key, "upsert") for key in range(3, 9)), (4, "delete")]
    newest = 5 if dated else 8  # the window's end where the list does not say it
    assert rows[-1][1] == f"2026-03-01T12:00:0{newest}.000000Z", "so that the deletion is newer than the change"
    assert [each.query["from"] for each in api.asked if each.path == "/archive"] == [str(second + 2)]


def _ops(batch: Any) -> list[str]:
    return batch.ops.to_pylist() if batch.ops is not None else ["upsert"] * batch.data.num_rows


def test_a_full_read_asks_for_nothing_that_is_gone(api: FakeApi) -> None:
    add(api, 3)
    stream = StreamSpec("single", "single", "t", _none(), incremental=IncrementalSpec("updated_at", lag_seconds=0))
    made = reader(api, gone_spec())
    for piece in made.slices(stream, made.window(stream, WindowRequest()), 1):
        list(made.read(stream, piece))
    assert {each.path for each in api.asked} == {"/single"}


# answers that would lose rows silently -------------------------------------------------------------------------


@requirement("ERR-01", "ING-20")
@pytest.mark.parametrize(
    ("style", "body", "says"),
    [
        ("cursor", {"rows": [], "meta": {}}, "has no 'items'"),
        ("cursor", {"error": "try later"}, r"has no 'items', where its records stand \(it says: try later\)"),
        ("graphql", {"data": None, "errors": [{"message": "no such field"}]}, "it says: no such field"),
        ("cursor", {"items": [{"id": 1}], "meta": {"has_more": True, "next": None}}, "nothing at 'meta.next'"),
        ("after", {"items": [], "has_more": True}, "nothing at 'id'"),
        (
            "graphql",
            {"data": {"items": {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}}},
            "nothing at 'data.items.pageInfo.endCursor'",
        ),
    ],
)
def test_an_answer_without_what_it_must_have_is_no_empty_page(
    api: FakeApi, style: str, body: dict[str, Any], says: str
) -> None:
    add(api, 3)
    api.faults.append(lambda asked: Answer(body=body))
    with pytest.raises(SourceChanged, match=says):
        ids(reader(api), style)


def test_errors_beside_the_data_of_a_query_are_told(api: FakeApi) -> None:
    info = {"nodes": [{"id": 1}], "pageInfo": {"hasNextPage": False}}
    body = {"data": {"items": info}, "errors": [{"message": "timed out"}]}
    api.faults.append(lambda asked: Answer(body=body))
    with pytest.raises(ConfigurationError, match="refused: timed out"):
        ids(reader(api), "graphql")


def test_an_empty_list_may_be_left_out_where_the_spec_says_so(api: FakeApi) -> None:
    api.faults.append(lambda asked: Answer(body={"kind": "list"}))
    assert ids(reader(api, one(optional=True)), "single") == []


def test_an_empty_page_before_the_end_is_no_end(api: FakeApi) -> None:
    """A ceiling on offsets shows like this."""
    add(api, 350)
    api.faults.append(
        lambda asked: Answer(body={"items": [], "total": 350}) if asked.query["offset"] == "200" else None
    )
    with pytest.raises(SourceUnavailable, match="an empty page came before all"):
        ids(reader(api), "offset")


def test_one_page_that_comes_again_with_ever_new_tokens_ends_with_an_error(api: FakeApi) -> None:
    add(api, 10)
    numbers = iter(range(10_000))
    api.faults.append(
        lambda asked: Answer(body={"items": api.rows, "meta": {"has_more": True, "next": str(next(numbers))}})
    )
    with pytest.raises(SourceUnavailable, match="the same page 4 times"):
        ids(reader(api), "cursor")


def test_empty_pages_on_the_way_are_passed(api: FakeApi) -> None:
    """Some APIs look through much to find little."""

    def filtered(asked: Asked) -> Answer:
        number = int(asked.query.get("cursor", 0))
        rows = [{"id": number, "updated_at": "2026-03-01T12:00:00Z"}] if number % 40 == 0 else []
        return Answer(body={"items": rows, "meta": {"has_more": number < 80, "next": str(number + 1)}})

    api.faults.append(filtered)
    assert ids(reader(api), "cursor") == [0, 40, 80]


def test_pages_of_large_records_leave_before_they_fill_the_memory(api: FakeApi) -> None:
    add(api, 800)
    for each in api.rows:
        each["name"] = "x" * 50_000
    batches = list(reader(api).read(StreamSpec("cursor", "cursor", "t", _none()), Slice(0, "cursor")))
    assert sum(each.data.num_rows for each in batches) == 800
    assert max(each.data.nbytes for each in batches) < 16 << 20


# positions and orders of what others hang on -------------------------------------------------------------------


def test_a_position_is_kept_for_records_that_hang_on_those_it_is_of(api: FakeApi) -> None:
    def positioned(asked: Asked) -> Answer | None:
        if asked.path != "/cursor":
            return commented(asked)
        start = int(asked.query.get("position", 0))
        found = [each for each in api.rows if each["id"] > start]
        return Answer(body={"items": found, "meta": {"position": found[-1]["id"] if found else start}})

    api.faults.append(positioned)
    spec = comments_spec()
    spec["streams"]["cursor"] = token_spec()["streams"]["cursor"]
    stream = StreamSpec("comments", "comments", "t", _none(), incremental=IncrementalSpec("updated_at"))
    cursor, rows = None, []
    for first, count in ((1, 5), (6, 2), (8, 0)):
        add(api, count, first=first)
        made = reader(api, spec)
        window = made.window(stream, WindowRequest(since=cursor))
        (piece,) = made.slices(stream, window, 4)
        rows.append({each["row"] for batch in made.read(stream, piece) for each in batch.data.to_pylist()})
        cursor = made.next_cursor(window, [made.result()], cursor)
    assert rows == [{1, 2, 4, 5}, {7}, set()]
    assert cursor == Cursor({"token": 7})


def test_parents_whose_list_descends_are_looked_at_no_further_than_the_window(api: FakeApi) -> None:
    add(api, 500)
    api.rows.reverse()
    api.faults.append(commented)
    spec = comments_spec()
    spec["streams"]["cursor"] = spec["streams"]["cursor"] | {
        "request": "/cursor", "incremental": {"cursor": "updated_at", "descending": True},
    }  # fmt: skip
    rows, _ = comments(api, spec, START + timedelta(seconds=440))
    assert {row for row, _ in rows} == {row for row in range(441, 501) if row % 10 and row % 3}
    assert [each.path for each in api.asked].count("/cursor") == 2  # the window's page, and the first without any of it


@requirement("REG-08")
def test_what_stands_too_far_up_in_a_list_that_descends_hides_nothing(api: FakeApi) -> None:
    """Some APIs move a record up for more than what its moment tells."""
    add(api, 500)
    api.rows.reverse()
    api.rows.insert(5, api.rows.pop())  # the oldest of all
    stream = SPEC["streams"]["cursor"] | {
        "request": "/cursor", "incremental": {"cursor": "updated_at", "descending": True},
    }  # fmt: skip
    made = reader(api, SPEC | {"streams": {"cursor": stream}})
    assert sorted(ids(made, "cursor", START + timedelta(seconds=200))) == list(range(201, 501))


def test_ranges_end_on_the_steps_of_the_api_and_meet_there(api: FakeApi) -> None:
    """`{lo}` and `{hi}` are cut to seconds for the API, so the window is as well, or its edges would lose rows."""
    spec = one(incremental={"cursor": "updated_at", "precision": "second", "bounded": True})
    stream = StreamSpec("single", "single", "t", _none(), incremental=IncrementalSpec("updated_at", lag_seconds=0))
    edges = ["2026-03-01T12:00:00.5", "2026-03-01T12:00:09.5", "2026-03-01T12:00:20"]
    made = reader(api, spec)
    found = [made.window(stream, WindowRequest(start=lo, end=hi)) for lo, hi in pairwise(edges)]
    assert found[0].hi == found[1].lo == "2026-03-01T12:00:09+00:00"
    assert found[0].lo == "2026-03-01T12:00:00+00:00"


def test_a_list_that_ends_early_cannot_be_repeated(api: FakeApi) -> None:
    repeated = {"path": "/x", "repeat": {"a": ["1", "2"]}}
    spec = one(incremental={"cursor": "updated_at", "descending": True}, request=repeated)
    with pytest.raises(InvalidConfig, match="cannot end early for all its repetitions"):
        ids(reader(api, spec), "single")
