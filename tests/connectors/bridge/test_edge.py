"""Whatever comes at the last position, and however a connector writes it, each row is taken once."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.connectors.bridge import edge as edges
from dativo_provider.connectors.bridge.edge import Edge

MOMENTS = [f"2026-03-01T12:00:0{second}{zone}" for second in range(4) for zone in ("Z", "+00:00", ".000Z")]


def run(rows: Sequence[Mapping[str, Any]], since: Any, past: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """What a connector that begins at `since`, and there included, brings."""
    edge = Edge("at", past)
    sent = [row for row in rows if since is None or edges._order(row["at"])[1] >= edges._order(since)[1]]  # type: ignore[index]
    taken = [row["id"] for row in sent if edge.is_new(row)]
    return taken, json.loads(json.dumps(edge.value()))


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=6), st.randoms(use_true_random=False))
def test_rows_that_arrive_in_order_are_taken_once(arrivals: list[list[int]], chance: Any) -> None:
    rows: list[dict[str, Any]] = []
    taken: list[int] = []
    past: dict[str, Any] = {}
    second = 0
    for steps in arrivals:
        for step in steps:
            second = min(3, second + step)
            rows.append({"id": len(rows), "at": f"2026-03-01T12:00:0{second}Z", "x": None})
        sent = sorted(rows, key=lambda row: row["at"])
        chance.shuffle(sent) if not past else None
        found, past = run(sent, past.get("at"), past)
        taken += found
    assert sorted(taken) == list(range(len(rows)))


@pytest.mark.parametrize("again", MOMENTS[3:6])
def test_one_moment_may_be_written_in_several_ways(again: str) -> None:
    _, past = run([{"id": 1, "at": "2026-03-01T12:00:01Z"}], None, {})
    taken, _ = run([{"id": 1, "at": "2026-03-01T12:00:01Z"}, {"id": 2, "at": again}], "2026-03-01T12:00:01Z", past)
    assert taken == [2]


def test_what_the_connector_says_of_its_own_work_makes_no_other_row() -> None:
    row = {"id": 1, "at": 5, "_sdc_extracted_at": "2026-03-01"}
    _, past = run([row], None, {})
    taken, _ = run([row | {"_sdc_extracted_at": "2026-03-02"}], 5, past)
    assert taken == []


def test_a_run_that_brings_nothing_new_keeps_what_was_known() -> None:
    _, past = run([{"id": 1, "at": 5}, {"id": 2, "at": 5}], None, {})
    _, again = run([], 5, past)
    assert again == past
    _, again = run([{"id": 2, "at": 5}, {"id": 3, "at": 5}], 5, past)
    taken, _ = run([{"id": each, "at": 5} for each in (1, 2, 3, 4)], 5, again)
    assert taken == [4]


def test_a_position_that_too_many_rows_share_is_not_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edges, "_MOST", 3)
    edge = Edge("at")
    assert all(edge.is_new({"id": each, "at": 5}) for each in range(5))
    assert edge.crowded
    assert edge.value() == {"at": 5, "rows": []}


def test_rows_without_a_position_are_taken() -> None:
    assert run([{"id": 1, "at": None}], None, {})[0] == [1]
    assert run([{"id": 1, "at": {"odd": 1}}], None, {}) == ([1], {})


def test_positions_with_a_point_are_told_apart_by_the_next_run() -> None:
    _, past = run([{"id": 1, "at": Decimal("5.10")}], None, {})
    taken, _ = run([{"id": each, "at": Decimal("5.10")} for each in (1, 2)], None, past)
    assert taken == [2]


def test_rows_that_share_a_position_are_not_held() -> None:
    edge = Edge("at")
    tracemalloc.start()
    try:
        assert all(edge.is_new({"id": each, "at": 5, "text": f"{each}" * 20_000}) for each in range(200))
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1 << 20
