"""Limits of seconds and minutes: tasks in processes of their own keep them together, against one fake."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from dativo_provider.connectors.rest import client
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import Cancelled
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.settings import Settings
from dativo_provider.pipeline.side_by_side import _child
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.toy import SPEC, text
from tests.support import requirement

LIMIT, PER = 100, 4
TASK = """
import sys, time
from tests.connectors.rest.test_shared import reader
url, home, start, seconds = sys.argv[1:]
made, end = reader(url, home), float(start) + float(seconds)
time.sleep(max(0, float(start) - time.time()))
while time.time() < end:
    made.check()
made.ctx.kept.close()
"""


def reader(url: str, home: str, requests: int = LIMIT, ctx: RunContext | None = None) -> RestReader:
    spec = SPEC | {"limits": {"default": {"requests": requests, "per": PER}}}
    source = SourceSpec("rest", {"base_url": url, "token": FakeApi.token}, options={"spec": text(spec)})
    return RestReader(source, ctx or context(home))


def context(home: str) -> RunContext:
    return RunContext(Settings(home=home), labels={"tenant": "acme"})


class Timed(FakeApi):
    """Knows when each request came."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def answer(self, asked: Asked) -> Answer:
        self.moments.append(time.time())
        return super().answer(asked)

    def most(self) -> int:
        """In any `PER` seconds."""
        came = sorted(self.moments)
        return max(bisect_left(came, at + PER) - number for number, at in enumerate(came))

    def share(self, start: float, end: float) -> float:
        """Of the limit, that was used between two moments."""
        return sum(start <= at < end for at in self.moments) / (LIMIT / PER * (end - start))


@pytest.fixture
def timed() -> Iterator[Timed]:
    with serving(made := Timed()):
        yield made


@pytest.fixture
def task(timed: Timed, tmp_path: Path) -> Callable[..., subprocess.Popen[bytes]]:
    def begun(start: float, seconds: float) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", TASK, timed.url, str(tmp_path), str(start), str(seconds)])

    return begun


@pytest.mark.slow
@requirement("ERR-05")
def test_processes_keep_a_limit_together_and_use_it_as_they_come_and_go(
    timed: Timed, task: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """Of four that begin at once three end, and the last has all of it."""
    start = time.time() + 6
    tasks = [task(start, each) for each in (9, 9, 9, 16)]
    assert [each.wait(90) for each in tasks] == [0, 0, 0, 0]
    assert timed.most() <= 1.05 * LIMIT
    assert timed.share(start + 4.5, start + 8.5) >= 0.9
    assert timed.share(start + 11.5, start + 15.5) >= 0.9


def test_waiting_for_a_share_ends_when_the_run_is_cancelled(timed: Timed, tmp_path: Path) -> None:
    first, second = reader(timed.url, str(tmp_path), requests=1), reader(timed.url, str(tmp_path), requests=1)
    first.check()
    threading.Timer(0.5, second.ctx.cancel).start()
    with pytest.raises(Cancelled):
        second.check()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes the next look at the ledger due."""
    late = [0.0]
    monkeypatch.setattr(client, "monotonic", lambda: time.monotonic() + late[0])

    def due() -> None:
        late[0] += 60

    return due


def test_a_stream_goes_on_after_one_before_it_was_cancelled(
    timed: Timed, tmp_path: Path, looks: Callable[[], None]
) -> None:
    run = context(str(tmp_path))
    one, two = _child(run, 2), _child(run, 2)
    reader(timed.url, str(tmp_path), ctx=one).check()
    one.cancel()
    looks()
    reader(timed.url, str(tmp_path), ctx=two).check()
    assert len(timed.moments) == 2


def test_a_later_stream_that_waits_for_a_share_ends_when_it_is_cancelled(
    timed: Timed, tmp_path: Path, looks: Callable[[], None]
) -> None:
    """What the first stream of the process had is another's when the second one asks."""
    run = context(str(tmp_path))
    first, second = (reader(timed.url, str(tmp_path), 1, _child(run, 2)) for _ in range(2))
    first.check()
    (share,) = first._client()._paces(())
    share.close()  # type: ignore[attr-defined]
    reader(timed.url, str(tmp_path), 1).check()
    looks()
    told: Queue[BaseException | None] = Queue()
    threading.Thread(target=lambda: told.put(failure(second.check)), daemon=True).start()
    with pytest.raises(Empty):
        told.get(timeout=1)
    second.ctx.cancel()
    assert isinstance(told.get(timeout=5), Cancelled)


def failure(act: Callable[[], object]) -> BaseException | None:
    try:
        act()
    except BaseException as error:
        return error
    return None


def test_limits_are_known_before_anybody_logged_in(timed: Timed, tmp_path: Path) -> None:
    """What tells accounts apart is asked of the login, which is kept beside the limits."""
    spec = SPEC | {
        "settings": SPEC.get("settings", {}) | {"site": {"description": "one of several"}},
        "limits": {"default": {"requests": LIMIT, "per": PER}},
    }
    connection = {"base_url": timed.url, "token": FakeApi.token, "site": "north"}
    made = RestReader(SourceSpec("rest", connection, options={"spec": text(spec)}), context(str(tmp_path)))
    told: Queue[int] = Queue()
    threading.Thread(target=lambda: told.put(len(made._client()._paces(()))), daemon=True).start()
    assert told.get(timeout=5) == 1


def test_a_ledger_that_cannot_be_reached_leaves_each_its_part(
    timed: Timed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "limits").write_text("a file where the folder should be")
    made = reader(timed.url, str(tmp_path))
    for _ in range(3):
        made.check()
    assert caplog.text.count("cannot be counted") == 1


def test_slices_that_threads_of_a_process_read_have_its_whole_share(timed: Timed, tmp_path: Path) -> None:
    made = reader(timed.url, str(tmp_path))
    paces = {id(pace) for tasks in (1, 4, 9) for pace in made._client(tasks)._paces(())}
    assert len(paces) == 1
