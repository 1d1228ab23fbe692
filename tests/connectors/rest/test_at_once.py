"""Pages of a counted list, several of them under way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event, Lock
from time import sleep
from typing import Any

import pytest

from dativo_provider.config.problems import InvalidConfig
from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.paginate.counted import Offset
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Slice
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.reading import add, ids, one, reader, stream_of
from tests.support import requirement

STYLE = "offset_at_once"


class SlowApi(FakeApi):
    """Each request waits for `before` on its own, and is seen to be under way."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[int], None] = lambda offset: sleep(0.05)
        self.after: Callable[[int], None] = lambda offset: None
        self.now_asked = self.most = 0
        self.counting = Lock()

    @property
    def offsets(self) -> list[int]:
        return [int(each.query["offset"]) for each in self.asked]

    def answer(self, asked: Asked) -> Answer:
        self._count(1)
        try:
            offset = int(asked.query.get("offset", 0))
            self.before(offset)
            found = super().answer(asked)
            self.after(offset)
            return found
        finally:
            self._count(-1)

    def _count(self, more: int) -> None:
        with self.counting:
            self.now_asked += more
            self.most = max(self.most, self.now_asked)


@pytest.fixture
def api() -> Iterator[SlowApi]:
    found = SlowApi()
    with serving(found):
        yield found


def assert_set(event: Event | None) -> None:
    assert event is None or event.wait(10)


@requirement("PRF-01")
def test_as_many_pages_as_the_spec_allows_are_under_way_and_come_in_order(api: SlowApi) -> None:
    add(api, 2_000)
    assert ids(reader(api), STYLE) == list(range(1, 2_001))
    assert sorted(api.offsets) == list(range(0, 2_000, 100))
    assert api.most == 4


def test_pages_nobody_takes_are_not_asked_for() -> None:
    """Memory holds a window of a list of any length."""
    asked: list[int] = []

    def ask(**call: Any) -> Page:
        asked.append(call["params"]["offset"])
        return Page("", {"total": 5_000}, [{}] * 100)

    pages = Offset(param="offset", size=100, total="total", at_once=4).pages(ask)
    assert [len(next(pages).records) for _ in range(3)] == [100, 100, 100]
    sleep(0.1)
    pages.close()  # type: ignore[attr-defined]
    assert len(asked) <= 2 + 4


def test_what_is_added_at_the_end_meanwhile_is_read_as_well(api: SlowApi) -> None:
    add(api, 1_000)
    api.after = lambda offset: add(api, 250, first=1_001) if offset == 500 and len(api.rows) == 1_000 else None
    assert ids(reader(api), STYLE) == list(range(1, 1_251))


def test_pages_from_before_a_deletion_are_not_mixed_with_those_from_after_it(api: SlowApi) -> None:
    """One record is missed at the edge of a page, as when pages are asked for one by one; none comes twice."""
    add(api, 1_000)
    first, gone = Event(), Event()
    waits = {300: first, 200: gone}  # 100, 300, 200 is the order they are answered in

    def after(offset: int) -> None:
        if offset == 300 and not gone.is_set():
            del api.rows[0]
        {100: first, 300: gone}.get(offset, Event()).set()

    api.before = lambda offset: assert_set(waits.get(offset))
    api.after = after
    found = ids(reader(api), STYLE)
    assert len(found) == len({*found})
    assert set(range(1, 1_001)) - {*found} == {201}
    assert api.offsets.count(300) == 2


def test_a_server_that_gives_fewer_than_it_was_asked_for_is_read_page_by_page(api: SlowApi) -> None:
    api.page = 60
    add(api, 500)
    assert ids(reader(api), STYLE) == list(range(1, 501))
    assert api.most == 1


def test_an_error_comes_after_the_pages_before_it_and_ends_the_read(api: SlowApi) -> None:
    add(api, 5_000)
    api.faults.append(lambda asked: Answer(400, {"message": "no"}) if asked.query["offset"] == "500" else None)
    batches = reader(api).read(stream_of(STYLE), Slice(0, STYLE))
    found: list[int] = []
    with pytest.raises(ConfigurationError, match="400: no"):
        found.extend(each for batch in batches for each in batch.data.column("id").to_pylist())
    assert found == list(range(1, len(found) + 1))
    assert max(api.offsets) <= 500 + 3 * 100


def test_pages_of_an_unknown_number_are_not_asked_for_at_once(api: SlowApi) -> None:
    paginate = {"type": "page", "param": "page", "size": 100, "at_once": 4}
    with pytest.raises(InvalidConfig, match="how many there are"):
        ids(reader(api, one(paginate=paginate)), "single")
