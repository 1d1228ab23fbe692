"""A quota is never spent twice, and hardly anything of it is lost."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dativo_provider.files import file_uri, open_files
from dativo_provider.model.settings import Settings
from dativo_provider.store.leases import Leases, leases_of
from tests.support import requirement

DAY = 86_400.0


def leases(folder: Path, requests: int, seconds: float = DAY) -> Leases:
    return Leases(open_files(file_uri(folder)), file_uri(folder), requests, seconds)


def older(folder: Path, seconds: float) -> None:
    """As if everything had happened so long ago."""
    for path in folder.iterdir():
        os.utime(path, (path.stat().st_mtime - seconds,) * 2)


def all_of(found: Leases) -> int:
    total = 0
    while block := found.take():
        total += block.requests
    return total


@pytest.mark.parametrize("requests", [1, 7, 100, 101, 250_000])
@requirement("ERR-05")
def test_all_blocks_together_are_the_quota(tmp_path: Path, requests: int) -> None:
    found = leases(tmp_path, requests)
    assert all_of(found) == requests
    assert found.take() is None
    assert DAY < found.wait() < DAY + 1000


@requirement("ERR-05")
def test_threads_that_take_at_once_never_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: all_of(leases(tmp_path, 400)), range(8)))
    assert sum(given) == 400


@requirement("ERR-05")
def test_what_is_given_back_is_taken_by_others_once(tmp_path: Path) -> None:
    found = leases(tmp_path, 1000)
    block = found.take()
    assert block
    assert all_of(found) == 990
    found.give_back(block, 4)
    again = leases(tmp_path, 1000).take()
    assert again
    assert again.requests == 4
    assert found.take() is None
    found.give_back(again, 3)
    assert all_of(found) == 3


@requirement("ERR-05")
def test_no_day_ever_holds_more_than_the_quota_however_it_is_laid(tmp_path: Path) -> None:
    """A block may be used to the end of its life, so it is free again a day after that, not after it was taken."""
    found = leases(tmp_path, 50)
    assert all_of(found) == 50
    older(tmp_path, DAY + 30)
    assert found.take() is None
    older(tmp_path, 1000)
    assert all_of(found) == 50
    assert len([path for path in tmp_path.iterdir() if ".000000." in path.name]) == 0, "files of the turn before go"


@requirement("ERR-05")
def test_a_block_given_back_late_rests_for_a_day_as_well(tmp_path: Path) -> None:
    found = leases(tmp_path, 1)
    block = found.take()
    assert block
    older(tmp_path, DAY)
    found.give_back(block, 1)
    assert found.take()
    older(tmp_path, 1000)
    assert found.take() is None


def test_they_are_kept_where_all_machines_reach_them(tmp_path: Path) -> None:
    assert leases_of(Settings(home=""), "q", 10, DAY) is None
    at_home = leases_of(Settings(home=str(tmp_path)), "acme/q", 10, DAY)
    assert at_home
    assert at_home.take()
    assert list((tmp_path / "quotas" / "acme" / "q").iterdir())


def test_a_slot_that_is_open_is_used_up_before_the_next_is_opened(tmp_path: Path) -> None:
    """A slot rests a day from its last use: were all of them opened at once, all would rest at once."""
    found = leases(tmp_path, 10_000)
    used = set()
    for _ in range(50):
        block = found.take()
        assert block is not None
        used.add(block.slot)
        found.give_back(block, block.requests - 1)
    assert len(used) == 1
