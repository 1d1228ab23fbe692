"""Streams whose changes and deletes stand in lists of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dativo_provider.connectors.rest.client import Client
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import IncrementalSpec
from dativo_provider.model.stream import Cursor, WindowRequest
from tests.connectors.rest.fake import Answer, FakeApi
from tests.connectors.rest.reading import START, add, ids, one, reader, stream_of
from tests.connectors.rest.toy import SPEC
from tests.support import requirement


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
    spec = stream_of("cursor", incremental=IncrementalSpec("updated_at", lag_seconds=0))
    made = reader(api, events_spec())
    since = Cursor({"column": "created", "type": "timestamptz", "value": (START + timedelta(seconds=2)).isoformat()})
    window = made.window(spec, WindowRequest(since=since))
    batches = [batch for piece in made.slices(spec, window, 1) for batch in made.read(spec, piece)]
    rows = [(each["id"], each["name"]) for batch in batches for each in batch.data.to_pylist()]
    assert rows == [(1, "newest"), (2, "gone")]
    assert batches[0].ops is not None
    assert batches[0].ops.to_pylist() == ["upsert", "delete"]


def test_state_older_than_the_api_keeps_changes_reads_everything(api: FakeApi) -> None:
    spec = stream_of("cursor", incremental=IncrementalSpec("updated_at"))
    since = Cursor({"column": "created", "type": "timestamptz", "value": "2026-01-01T00:00:00+00:00"})
    window = reader(api, events_spec()).window(spec, WindowRequest(since=since))
    assert window.kind == "full"
    assert "what was deleted meanwhile" in window.notes[0]


def test_a_range_from_before_the_api_kept_changes_is_refused(api: FakeApi) -> None:
    spec = stream_of("cursor", incremental=IncrementalSpec("updated_at"))
    with pytest.raises(ConfigurationError, match="for 30 days, and the range begins before"):
        reader(api, events_spec()).window(spec, WindowRequest(start="2026-01-01", end="2026-02-01"))
    assert reader(api, events_spec()).window(spec, WindowRequest(start="2026-02-20")).kind == "range"


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


# lists of what is gone -----------------------------------------------------------------------------------------


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
    stream = stream_of("single", incremental=IncrementalSpec("updated_at", lag_seconds=0))
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
    stream = stream_of("single", incremental=IncrementalSpec("updated_at", lag_seconds=0))
    made = reader(api, gone_spec())
    for piece in made.slices(stream, made.window(stream, WindowRequest()), 1):
        list(made.read(stream, piece))
    assert {each.path for each in api.asked} == {"/single"}
