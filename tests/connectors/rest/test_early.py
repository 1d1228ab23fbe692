"""Reads that a quota ends: what came before is published once, and the next runs go on from there."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest

from dativo_provider.config.problems import InvalidConfig
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import RateLimited
from dativo_provider.model.job import IncrementalSpec, StreamSpec
from dativo_provider.model.stream import Cursor, ReadResult, Window, WindowRequest
from tests.connectors.rest.fake import Answer, FakeApi
from tests.connectors.rest.reading import add, one, reader, stream_of
from tests.connectors.rest.toy import SPEC
from tests.support import requirement

RESUMES = {"cursor": "updated_at", "resumes": True}
PAGED = {"request": SPEC["streams"]["cursor"]["request"], "paginate": SPEC["streams"]["cursor"]["paginate"]}
ROWS = 1_000


def spec(**stream: Any) -> dict[str, Any]:
    return one(**{**PAGED, "incremental": RESUMES, **stream})


def allow(api: FakeApi, requests: int) -> None:
    """So many requests from now on, and none for a day."""
    most = len(api.asked) + requests
    used_up = Answer(429, {"message": "daily limit"}, {"Retry-After": "86400"})
    api.faults[:] = [lambda asked: used_up if len(api.asked) > most else None]


def stream() -> StreamSpec:
    return stream_of("single", incremental=IncrementalSpec("updated_at", lag_seconds=0), key=("id",))


def run(made: RestReader, request: WindowRequest) -> tuple[list[int], Window, ReadResult]:
    window = made.window(stream(), request)
    (piece,) = made.slices(stream(), window, 1)
    found = [each["id"] for batch in made.read(stream(), piece) for each in batch.data.to_pylist()]
    return found, window, made.result()


@requirement("ERR-05")
def test_runs_under_a_quota_bring_every_row_together(api: FakeApi) -> None:
    """Ten rows share each second, so that every border lies within one."""
    add(api, ROWS, every=timedelta(seconds=0.1))
    since, known, runs = None, set[int](), 0
    while len(known) < ROWS:
        allow(api, 4)
        made = reader(api, spec())
        found, window, result = run(made, WindowRequest(since=since, part=True))
        assert window.overlap == (since is not None)
        assert set(found) - known
        known.update(found)
        since, runs = made.next_cursor(window, [result], since), runs + 1
    assert runs == 3
    assert since == window.cursor or "newest" in since.value
    assert "ended_early" not in since.value
    assert len(api.asked) < 1.5 * ROWS / api.page + runs


def test_what_was_read_is_told(api: FakeApi) -> None:
    add(api, ROWS)
    allow(api, 4)
    *_, result = run(reader(api, spec()), WindowRequest(part=True))
    assert result.rows == 400
    assert result.detail["notes"][0].startswith("this read ended early, and the next run goes on from there")


@pytest.mark.parametrize(
    ("stream_is", "request_is"),
    [
        ({}, {"part": False}),
        ({}, {"part": True, "full": True}),
        ({"incremental": {"cursor": "updated_at"}}, {"part": True}),
        ({"columns": SPEC["streams"]["single"]["columns"] | {"updated_at": "timestamptz"}}, {"part": True}),
        ({"incremental": RESUMES | {"changes": {"request": "/cursor", "records": "items"}}}, {"part": True}),
    ],
    ids=["the target needs all", "full read", "no order", "rows without a moment", "a first list of its own"],
)
def test_what_cannot_be_gone_on_with_ends_the_run(
    api: FakeApi, stream_is: dict[str, Any], request_is: dict[str, Any]
) -> None:
    add(api, ROWS)
    allow(api, 4)
    with pytest.raises(RateLimited):
        run(reader(api, spec(**stream_is)), WindowRequest(**request_is))


def test_a_list_that_is_in_no_order_after_all_ends_the_run(api: FakeApi) -> None:
    add(api, ROWS)
    random.Random(1).shuffle(api.rows)
    allow(api, 4)
    with pytest.raises(RateLimited):
        run(reader(api, spec()), WindowRequest(part=True))


def test_a_run_that_got_no_further_than_the_last_one_ends(api: FakeApi) -> None:
    add(api, ROWS, every=timedelta(0))
    allow(api, 4)
    made = reader(api, spec())
    _, window, result = run(made, WindowRequest(part=True))
    allow(api, 4)
    with pytest.raises(RateLimited):
        run(reader(api, spec()), WindowRequest(since=made.next_cursor(window, [result], None), part=True))


def test_a_position_of_the_apis_own_is_gone_on_with(api: FakeApi) -> None:
    add(api, ROWS)
    token = {"token": {"path": "meta.next", "param": "cursor"}, "resumes": True}
    allow(api, 4)
    made = reader(api, spec(incremental=token))
    first, window, result = run(made, WindowRequest(part=True))
    since = made.next_cursor(window, [result], None)
    allow(api, 40)
    rest, *_ = run(reader(api, spec(incremental=token)), WindowRequest(since=since, part=True))
    assert sorted(first + rest) == list(range(1, ROWS + 1))
    allow(api, 0)
    with pytest.raises(RateLimited):
        run(reader(api, spec(incremental=token)), WindowRequest(since=Cursor(dict(since.value)), part=True))


@pytest.mark.parametrize(
    "wrong",
    [
        {"incremental": RESUMES | {"descending": True}},
        {"incremental": RESUMES | {"changes": {"request": "/cursor"}, "latest": True}},
        {"request": {"path": "/cursor", "repeat": {"kind": ["a", "b"]}}},
    ],
    ids=["descending", "latest", "repeat"],
)
def test_lint_tells_where_nothing_can_be_gone_on_with(api: FakeApi, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfig, match="resumes"):
        reader(api, json.loads(json.dumps(spec(**wrong)))).discover()
