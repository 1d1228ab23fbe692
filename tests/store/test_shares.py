"""Shares of a limit: never more than all of it, whoever comes, goes or dies."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.errors import StorageUnavailable
from dativo_provider.files import file_uri, open_files
from dativo_provider.model.settings import Settings
from dativo_provider.store.shares import Shares, fair, shares_of
from tests.support import requirement


class World:
    """Processes at one ledger, on a clock of the test's own."""

    def __init__(self, folder: Path, requests: float = 100) -> None:
        self.at, self.requests, self.folder = 1_000_000.0, requests, folder

    def process(self, behind: float = 0.0) -> Shares:
        place = file_uri(self.folder)
        return Shares(open_files(place), place, self.requests, lambda: self.at - behind, lambda _: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@requirement("ERR-05")
def test_one_alone_has_almost_all_and_two_have_half(world: World) -> None:
    first, second = world.process(), world.process()
    assert first.take() == 98
    assert second.take() == 1, "what was kept free, at once"
    assert first.take() == 49
    assert second.take() == 49


def test_who_leaves_makes_room_at_once(world: World) -> None:
    first, second = world.process(), world.process()
    for _ in range(3):
        first.take()
        second.take()
    second.leave()
    second.leave()
    assert second.held == 0
    assert first.take() == 98


@requirement("ERR-05")
def test_who_dies_has_its_share_until_nobody_can_think_it_good(world: World) -> None:
    dead, living = world.process(behind=10), world.process()
    dead.take()
    for seconds, wanted in ((0, 1), (30, 2), (4, 2), (2, 98)):
        world.at += seconds
        assert living.take() == wanted


def test_who_slept_has_nothing_until_it_asks_again(world: World) -> None:
    sleeper, other = world.process(), world.process()
    sleeper.take()
    world.at += 60
    assert other.take() == 98
    assert sleeper.take() == 1


def test_a_version_that_is_made_again_does_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It read the ledger when that was empty, slept, and writes its first version: that is long over."""
    slow, fast = world.process(), world.process()
    stale = slow._latest()
    fast.take()
    for _ in range(10):
        guest = world.process()
        guest.take()
        guest.leave()
    now = slow._latest
    answers = iter([stale])
    monkeypatch.setattr(slow, "_latest", lambda: next(answers, None) or now())
    assert slow.take() == 1
    assert slow.held + fast.held <= 100


def test_a_smaller_share_counts_although_nobody_heard_that_it_was_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = world.process(), world.process()
    first.take()
    second.take()

    def lost(uri: str, data: bytes) -> bool:
        raise StorageUnavailable("no answer")

    monkeypatch.setattr(first._files, "write_new", lost)
    with pytest.raises(StorageUnavailable):
        first.take()
    assert first.held == 49


@requirement("ERR-05")
def test_threads_at_one_ledger_never_hold_more_than_there_is(tmp_path: Path) -> None:
    place = file_uri(tmp_path)
    everyone = [Shares(open_files(place), place, 40) for _ in range(6)]
    over, over_lock = [], threading.Lock()

    def work(shares: Shares) -> None:
        for _ in range(15):
            shares.take()
            with over_lock:
                held = sum(each.held for each in everyone)
                over.append(held)

    threads = [threading.Thread(target=work, args=(each,)) for each in everyone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(over) <= 40
    for each in everyone * 3:
        each.take()
    assert sum(each.held for each in everyone) >= 0.9 * 40
    assert len(list(tmp_path.iterdir())) < 20


@given(total=st.one_of(st.integers(1, 300), st.floats(0.1, 60)), count=st.integers(1, 12), seed=st.integers(0, 10_000))
@settings(max_examples=200, deadline=None)
def test_shares_are_within_the_limit_and_come_to_nearly_all_of_it(total: float, count: int, seed: int) -> None:
    chance = random.Random(seed)
    held: dict[int, float] = {}
    for turn in range(6):
        for each in chance.sample(range(count), count):
            others = [share for name, share in held.items() if name != each]
            held[each] = fair(total, others, new=each not in held)
            assert sum(held.values()) <= total + 1e-6, turn
    used = sum(held.values()) / total
    assert used >= (0.9 if total == int(total) else min(0.9, int(total) / total))
    assert min(held.values()) > 0, "nobody goes without"
    assert max(held.values()) - min(held.values()) <= 1 + 1e-6


def test_without_a_place_that_processes_share_there_are_none(tmp_path: Path) -> None:
    assert shares_of(Settings(home=""), "x", 10) is None
    assert shares_of(Settings(home=str(tmp_path)), "x", 10) is not None
