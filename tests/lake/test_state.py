"""State is exact or it is an error."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.errors import DataError, InternalError
from dativo_provider.files import file_uri, open_files
from dativo_provider.lake.state import (
    LARGEST_INLINE,
    other_jobs,
    own_lanes,
    read_state,
    state_key,
    summary_of,
    write_state,
)
from dativo_provider.model.run import Lane, State
from dativo_provider.model.stream import Cursor
from tests.lake.support import Lake, job, settings
from tests.support import requirement

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    value=st.dictionaries(st.text(), JSON, max_size=3),
    seq=st.integers(0, 10**9),
    runs=st.lists(st.text(min_size=1), max_size=32),
    padding=st.sampled_from([0, 10_000]),
)
@hypothesis.settings(max_examples=50, deadline=None)
def test_any_state_survives_inline_or_as_a_file(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, object], seq: int, runs: list[str], padding: int
) -> None:
    location = file_uri(tmp_path_factory.mktemp("state"))
    files = open_files(location)
    state = State(seq, Cursor({**value, "padding": "x" * padding}), tuple(runs), "s3://b/pending", "1.2.3")
    text = write_state(state, "p1", location, files)
    assert len(text) <= LARGEST_INLINE
    assert read_state({"k": text}, "k", files, "t") == state


@requirement("STA-09")
@pytest.mark.parametrize("text", ["", "{", "null", "[]", '"x"', '{"seq": "many"}', '{"file": "file:///nowhere"}'])
def test_a_state_that_cannot_be_read_is_never_taken_for_a_fresh_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError) as caught:
        read_state({"dativo.state.a.b": text}, "dativo.state.a.b", open_files(file_uri(tmp_path)), "acme.orders")
    assert "dativo.state.a.b" in str(caught.value)
    assert "acme.orders" in str(caught.value)


@requirement("STA-09")
def test_a_state_file_that_was_changed_is_refused(tmp_path: Path) -> None:
    location = file_uri(tmp_path)
    files = open_files(location)
    text = write_state(State(1, Cursor({"x": "y" * 9999})), "p1", location, files)
    uri = json.loads(text)["file"]
    files.write(uri, files.read(uri).replace(b"yyyy", b"zzzz", 1))
    with pytest.raises(DataError):
        read_state({"k": text}, "k", files, "t")
    files.delete(uri)
    with pytest.raises(DataError):
        read_state({"k": text}, "k", files, "t")


@requirement("STA-09")
@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_cursor_that_json_cannot_hold_is_refused(tmp_path: Path, value: float) -> None:
    location = file_uri(tmp_path)
    with pytest.raises(DataError, match="infinite"):
        write_state(State(1, Cursor({"value": value})), "p1", location, open_files(location))


def test_writing_a_state_twice_is_harmless_and_never_overwrites(tmp_path: Path) -> None:
    location = file_uri(tmp_path)
    files = open_files(location)
    state = State(1, Cursor({"x": "y" * 9999}))
    text = write_state(state, "p1", location, files)
    assert write_state(state, "p1", location, files) == text
    files.write(json.loads(text)["file"], b"something else")
    with pytest.raises(InternalError):
        write_state(state, "p1", location, files)


def test_no_state_is_a_fresh_lane(tmp_path: Path) -> None:
    lake = Lake(settings(tmp_path))
    assert lake.state() == State()
    lake.plan()
    assert lake.state(Lane("backfill", "1")) == State()


def test_a_large_cursor_lives_beside_the_table_and_survives_runs_and_sweeps(tmp_path: Path) -> None:
    from datetime import timedelta

    lake = Lake(settings(tmp_path))
    for number in range(3):
        lake.run([number], cursor=f"{number}" * 10_000)
    _age(tmp_path)
    lake.target.sweep_table(lake.name(), timedelta(hours=1))
    state = lake.state()
    assert state.cursor is not None
    assert state.cursor.value["value"] == "2" * 10_000
    assert len(_state_files(tmp_path)) == 3, "the snapshots are kept, and a rollback to one needs its state"


@requirement("STA-09", "ML-04")
def test_state_files_go_with_the_last_snapshot_that_needs_them(tmp_path: Path) -> None:
    from datetime import timedelta

    lake = Lake(settings(tmp_path))
    for number in range(4):
        lake.run([number], cursor=f"{number}" * 10_000)
    table = lake.target.table(lake.name())
    first, second, third, _last = (snapshot.snapshot_id for snapshot in table.metadata.snapshots)
    table.manage_snapshots().create_tag(first, "v1").commit()
    table = lake.target.table(lake.name())
    table.maintenance.expire_snapshots().by_ids([second, third]).commit()
    _age(tmp_path)
    lake.target.sweep_table(lake.name(), timedelta(hours=1))
    assert len(_state_files(tmp_path)) == 2, "that of the tag and that of today"
    assert lake.state().cursor == Cursor({"value": "3" * 10_000})


def test_the_summary_is_small_and_knows_where_the_lane_stood(tmp_path: Path) -> None:
    location = file_uri(tmp_path)
    files = open_files(location)
    small = write_state(State(3, Cursor({"value": 5}), ("p1",), "s3://pending", "1"), "p1", location, files)
    assert json.loads(summary_of(small)) == {"seq": 3, "cursor": {"value": {"value": 5}}, "rewound": False}
    for large in ({"value": "x" * 5000}, {"files": {f"f{n}": {"size": n} for n in range(1000)}}):
        state = State(3, Cursor(large))
        summary = summary_of(write_state(state, "p1", location, files))
        assert len(summary) < 1024
        assert read_state({"k": summary}, "k", files, "t") == state


def _state_files(folder: Path) -> list[Path]:
    return list(folder.rglob("dativo-state-*.json"))


def test_a_state_remembers_its_last_runs_only() -> None:
    state = State()
    for number in range(50):
        state = state.after(f"p{number}", None, "1")
    assert (state.seq, len(state.runs), state.runs[-1]) == (50, 32, "p49")


def test_lanes_are_told_apart_from_streams_with_similar_names() -> None:
    made = job(name="a")
    live = state_key(made, "orders", Lane())
    back = state_key(made, "orders", Lane("backfill", "x"))
    properties = dict.fromkeys((live, back, f"{live}2", f"{live}.other", "dativo.state.b.orders", "foreign"), "{}")
    assert own_lanes(properties, made, "orders") == [live, back]
    assert other_jobs(properties, made, "orders") == [
        "dativo.state.a.orders.other",
        f"{live}2",
        "dativo.state.b.orders",
    ]


def _age(folder: Path, days: int = 5) -> None:
    import os
    import time

    old = time.time() - days * 86400
    for path in folder.rglob("*"):
        os.utime(path, (old, old))
