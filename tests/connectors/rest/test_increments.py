"""What a run reads of a stream that goes by moments, or by positions that only the API understands."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from dativo_provider.config.problems import InvalidConfig
from dativo_provider.model.job import IncrementalSpec
from dativo_provider.model.stream import Cursor, WindowRequest
from tests.connectors.rest.fake import Answer, Asked, FakeApi
from tests.connectors.rest.reading import START, add, ids, one, reader, stream_of, token_spec
from tests.connectors.rest.toy import SPEC
from tests.support import requirement


def test_a_window_ends_where_the_api_finds_every_change(api: FakeApi) -> None:
    stream = stream_of("single", incremental=IncrementalSpec("updated_at", lag_seconds=0))
    lagging = one(incremental={"cursor": "updated_at", "lag": "5m"})
    window = reader(api, lagging).window(stream, WindowRequest())
    assert window.hi == (START + timedelta(days=1) - timedelta(minutes=5)).isoformat()
    slower = stream_of("single", incremental=IncrementalSpec("updated_at", lag_seconds=900))
    assert (
        reader(api, lagging).window(slower, WindowRequest()).hi
        == (START + timedelta(days=1) - timedelta(minutes=15)).isoformat()
    )


@pytest.mark.parametrize(("lookback", "kind"), [(0, "empty"), (3600, "incremental")])
def test_a_run_in_the_second_of_the_one_before_still_looks_back(api: FakeApi, lookback: int, kind: str) -> None:
    increment = IncrementalSpec("updated_at", lag_seconds=0, lookback_seconds=lookback)
    stream, made = stream_of("single", incremental=increment), reader(api)
    first = made.window(stream, WindowRequest())
    second = made.window(stream, WindowRequest(since=first.cursor))
    assert (second.kind, second.cursor) == (kind, first.cursor)
    assert (second.lo, second.overlap) == (
        ((START + timedelta(days=1, seconds=-lookback)).isoformat(), True) if lookback else (None, False)
    )


def test_ranges_end_on_the_steps_of_the_api_and_meet_there(api: FakeApi) -> None:
    """`{lo}` and `{hi}` are cut to seconds for the API, so the window is as well, or its edges would lose rows."""
    spec = one(incremental={"cursor": "updated_at", "precision": "second", "bounded": True})
    stream = stream_of("single", incremental=IncrementalSpec("updated_at", lag_seconds=0))
    edges = ["2026-03-01T12:00:00.5", "2026-03-01T12:00:09.5", "2026-03-01T12:00:20"]
    made = reader(api, spec)
    found = [made.window(stream, WindowRequest(start=lo, end=hi)) for lo, hi in pairwise(edges)]
    assert found[0].hi == found[1].lo == "2026-03-01T12:00:09+00:00"
    assert found[0].lo == "2026-03-01T12:00:00+00:00"


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


def test_the_newest_moment_that_was_seen_is_kept_beside_where_the_window_ended(api: FakeApi) -> None:
    stream = stream_of("single", incremental=IncrementalSpec("updated_at", lag_seconds=0))
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


def test_a_list_that_ends_early_cannot_be_repeated(api: FakeApi) -> None:
    repeated = {"path": "/x", "repeat": {"a": ["1", "2"]}}
    spec = one(incremental={"cursor": "updated_at", "descending": True}, request=repeated)
    with pytest.raises(InvalidConfig, match="cannot end early for all its repetitions"):
        ids(reader(api, spec), "single")


@pytest.mark.parametrize(("form", "factor"), [("epoch", 1), ("epoch_ms", 1000)])
def test_a_window_knows_from_the_column_how_its_moments_are_written(api: FakeApi, form: str, factor: int) -> None:
    add(api, 10)
    for number, each in enumerate(api.rows):
        each["changed"] = int((START + timedelta(seconds=number)).timestamp()) * factor
    columns = SPEC["streams"]["single"]["columns"] | {"changed": {"type": "timestamptz", "form": form}}
    spec = one(columns=columns, incremental={"cursor": "changed"}, request="/single")
    assert ids(reader(api, spec), "single", START + timedelta(seconds=7)) == [8, 9, 10]
    told = one(columns=columns, incremental={"cursor": "changed", "format": "date"})
    with pytest.raises(InvalidConfig, match=f"says date, and the cursor's column {form}"):
        reader(api, told).api  # noqa: B018


def test_records_whose_moment_cannot_be_read_are_told(api: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    add(api, 3)
    spec = one(incremental={"cursor": "updated_at", "format": "epoch_ms"})
    with caplog.at_level("WARNING"):
        assert ids(reader(api, spec), "single", START) == []
    assert "3 records have no moment at 'updated_at' in the form 'epoch_ms'" in caplog.text


# positions that only the API understands -----------------------------------------------------------------------


def test_a_position_of_the_api_is_kept_and_shown_to_it_again(api: FakeApi) -> None:
    def positioned(asked: Asked) -> Answer:
        start = int(asked.query.get("position", 0))
        found = [each for each in api.rows if each["id"] > start]
        last = found[-1]["id"] if found else start
        return Answer(body={"items": found, "meta": {"has_more": False, "position": last}})

    api.faults.append(positioned)
    spec = stream_of("cursor", incremental=IncrementalSpec("updated_at"))
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
