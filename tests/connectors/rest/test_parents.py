"""Streams whose records hang on those of another stream."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import SourceChanged
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, Slice, WindowRequest
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.reading import START, add, reader, stream_of, table, token_spec
from tests.connectors.rest.test_client import CLIENT, REFRESH, TokenApi
from tests.connectors.rest.toy import SPEC, text
from tests.support import requirement


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
    batches = list(made.read(stream_of("comments"), piece))
    rows = [(each["row"], each["text"]) for batch in batches for each in batch.data.to_pylist()]
    return rows, int(made.result().detail.get("parents_gone", 0))


def test_records_are_asked_for_by_those_they_hang_on_in_their_order(api: FakeApi) -> None:
    add(api, 230)
    api.faults.append(commented)
    rows, gone = comments(api, comments_spec())
    wanted = [(row, f"{row}.{number}") for row in range(1, 231) if row % 10 for number in range(row % 3)]
    assert rows == wanted
    assert gone == 23


@requirement("ERR-01", "ERR-02")
def test_logins_that_end_among_lists_read_at_once_lose_none_and_parents_stay_gone() -> None:
    """Three times the token ends while several lists are under way; servers fail and parents vanish meanwhile."""
    api, asked_so_far = TokenApi(), itertools.count(1)

    def troubled(asked: Asked) -> Answer | None:
        number = next(asked_so_far)
        if number in (30, 95, 160):
            api.token = "over"
        if asked.headers.get("authorization") != f"Bearer {api.token}":
            return Answer(401, {"error": {"message": "expired"}})
        return Answer(503, b"") if number % 17 == 0 else commented(asked)

    api.faults.append(troubled)
    add(api, 230)
    with serving(api):
        limits = {"retry": {"max_retries": 6, "max_backoff_seconds": 0.01}}
        options = {"spec": text(comments_spec() | {"auth": REFRESH})}
        source = SourceSpec("rest", {"base_url": api.url, **CLIENT}, options=options, rate_limits=limits)
        made = RestReader(source, RunContext(Settings(home="")))
        batches = list(made.read(stream_of("comments"), Slice(0, "comments")))
    rows = [(each["row"], each["text"]) for batch in batches for each in batch.data.to_pylist()]
    assert rows == [(row, f"{row}.{number}") for row in range(1, 231) if row % 10 for number in range(row % 3)]
    assert made.result().detail["parents_gone"] == 23
    assert api.given == 4, "each time one of the threads has renewed it for all"


def test_later_runs_ask_only_for_parents_that_changed(api: FakeApi) -> None:
    add(api, 50)
    api.faults.append(commented)
    rows, _ = comments(api, comments_spec(), START + timedelta(seconds=40))
    assert {row for row, _ in rows} == {41, 43, 44, 46, 47, 49}
    spec = stream_of("comments", incremental=IncrementalSpec("updated_at"))
    assert reader(api, comments_spec()).window(spec, WindowRequest()).column == "updated_at"


def test_records_with_a_moment_of_their_own_are_asked_for_by_parents_that_did_not_change_too(api: FakeApi) -> None:
    add(api, 20)
    made = (START + timedelta(days=1)).isoformat()
    items = [{"text": "new", "at": made}, {"text": "old", "at": START.isoformat()}]
    api.faults.append(lambda asked: Answer(body={"items": items}) if asked.path.startswith("/comments/") else None)
    columns = {"row": {"type": "long", "path": "parent.row"}, "text": "string", "at": "timestamptz"}
    spec = comments_spec(columns=columns, incremental={"cursor": "at"})
    rows, _ = comments(api, spec, START + timedelta(hours=1))
    assert rows == [(row, "new") for row in range(1, 21)]


def test_only_parents_that_are_said_are_asked_for(api: FakeApi) -> None:
    add(api, 30)
    api.faults.append(commented)
    parent = {"stream": "cursor", "values": {"row": "id"}, "where": {"name": ["row 4", "row 5"]}}
    rows, _ = comments(api, comments_spec(parent=parent))
    assert {row for row, _ in rows} == {4, 5}
    assert len([each for each in api.asked if each.path.startswith("/comments")]) == 2


def test_a_parent_that_is_gone_fails_the_run_where_the_spec_wants_that(api: FakeApi) -> None:
    add(api, 20)
    api.faults.append(commented)
    parent = {"stream": "cursor", "values": {"row": "id"}, "missing": "fail"}
    with pytest.raises(SourceChanged, match="404: deleted"):
        comments(api, comments_spec(parent=parent))


def test_what_a_record_has_under_the_name_of_its_parent_hides_it_not(api: FakeApi) -> None:
    add(api, 1)
    items = [{"text": "a", "parent": {"row": "mine", "kind": "own"}}, {"text": "b", "parent": 7}]
    api.faults.append(lambda asked: Answer(body={"items": items}) if asked.path.startswith("/comm") else None)
    columns = {"row": {"type": "long", "path": "parent.row"}, "kind": {"path": "parent.kind"}, "text": "string"}
    rows = table(made := reader(api, comments_spec(columns=columns)), "comments").to_pylist()
    assert rows == [{"row": 1, "kind": "own", "text": "a"}, {"row": 1, "kind": None, "text": "b"}]
    assert "unknown_fields" not in made.result().detail


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


# positions of those they hang on -------------------------------------------------------------------------------


def test_what_hangs_on_a_stream_with_a_position_follows_it(api: FakeApi) -> None:
    def positioned(asked: Asked) -> Answer | None:
        if asked.path.startswith("/comments/"):
            return commented(asked)
        found = [each for each in api.rows if each["id"] > int(asked.query.get("position", 0))]
        return Answer(body={"items": found, "meta": {"has_more": False, "position": found[-1]["id"]}})

    api.faults.append(positioned)
    spec = comments_spec()
    spec["streams"]["cursor"] = token_spec()["streams"]["cursor"]
    stream = stream_of("comments", incremental=IncrementalSpec("updated_at"))
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
    stream = stream_of("comments", incremental=IncrementalSpec("updated_at"))
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


# many parents at once ------------------------------------------------------------------------------------------


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
    return list(made.read(stream_of(name), Slice(0, name)))


def test_a_request_for_many_parents_that_fails_is_no_parent_that_is_gone(api: FakeApi) -> None:
    add(api, 3)
    api.faults.append(lambda asked: Answer(404, {"message": "no"}) if asked.path == "/links" else None)
    with pytest.raises(SourceChanged, match="404"):
        table_of(reader(api, linked_spec()), "links")
