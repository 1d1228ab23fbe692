"""kill -9 at every step of a replay, and replays beside each other and live runs: no row doubles, none is lost."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.crash.processes import CONTEXT, Point, Run
from tests.crash.readback import published_ids
from tests.crash.world import World
from tests.support import requirement

pytestmark = [pytest.mark.crash, pytest.mark.timeout(36_000)]

_INBOX = "dativo_provider.pipeline.inbox.parts:Parts"
_FOLDER = "dativo_provider.pipeline.folder:RunFolder"
POINTS = [
    Point(f"{_INBOX}.write", "after"),
    Point(f"{_FOLDER}.write_verdict", "after"),
    Point("dativo_provider.lake.inbox:InboxTables.append", "before"),
    # the claims, then the main table, then the rows that failed again
    *(Point(f"{World.catalog}.commit_table", when, nth) for nth in (1, 2, 3) for when in ("before", "after")),
    Point(f"{_FOLDER}.write_published", "before"),
    Point(f"{_INBOX}.remove", "before"),
]


def _inbox(world: World, point: Point | None, results: Any) -> None:
    from dativo_provider.model.inbox import Selection
    from dativo_provider.pipeline.inbox import open_box
    from dativo_provider.pipeline.inbox.replay import replay

    if point:
        point.arm()
    try:
        done = replay(open_box(world.job(), "orders", world.context()), Selection(), "ann")
        error = done.report.error if done.report else None
        results.put(f"{type(error).__name__}: {error}" if error else "done")
    except Exception as problem:
        results.put(f"{type(problem).__name__}: {problem}")


class Replay(Run):
    """One process that replays what is open."""

    def __init__(self, world: World, point: Point | None = None) -> None:
        self._results = CONTEXT.SimpleQueue()
        self.process = CONTEXT.Process(target=_inbox, args=(world, point, self._results))
        self.process.start()


class Inbox:
    """A world of which every other bad row has been corrected."""

    def __init__(self, root: Path, seed: str) -> None:
        self.world, self.rng = World(root), random.Random(seed)
        self.fixed: set[int] = set()

    def deliver(self) -> None:
        self.world.add_file(self.rng, rows=120)
        assert Run(self.world).outcome() == "committed"

    def correct(self) -> None:
        from dativo_provider.model.inbox import Selection
        from dativo_provider.pipeline.inbox import actions, open_box

        chosen = [each for at, each in enumerate(sorted(self.world.bad)) if at % 2 == 0]
        box = open_box(self.world.job(), "orders", self.world.context())
        where = f"id in ({', '.join(map(str, chosen))})"
        actions.fix(box, Selection(statuses=("quarantined",), where=where), {"amount": "1"}, "ann")
        self.fixed.update(chosen)

    def check(self) -> None:
        """After an undisturbed replay: corrected rows are in the table, the others are open, each once."""
        from dativo_provider.model.inbox import Selection
        from dativo_provider.pipeline.inbox import entries, open_box

        assert Counter(published_ids(self.world)) == Counter(self.world.good | self.fixed)
        box = open_box(self.world.job(), "orders", self.world.context())
        waiting = list(entries(box, Selection()))
        ids = Counter(int(entry.original["id"]) for entry in waiting if entry.original)
        assert ids == Counter(self.world.bad - self.fixed)
        assert len([entry for entry in waiting if entry.original is None]) == len(self.world.ragged)
        self.world.check_cursor()


@pytest.fixture
def inbox(tmp_path: Path, request: pytest.FixtureRequest) -> Inbox:
    made = Inbox(tmp_path, request.node.name)  # the same deliveries every time
    made.deliver()
    made.correct()
    assert made.fixed
    assert made.world.bad - made.fixed
    return made


@requirement("QUA-05", "ING-25")
@pytest.mark.parametrize("point", POINTS, ids=str)
def test_a_replay_killed_at_any_step_loses_and_doubles_nothing(point: Point, inbox: Inbox) -> None:
    assert Replay(inbox.world, point).outcome() == "killed", f"nothing died at {point}"
    inbox.deliver()
    assert Replay(inbox.world).outcome() == "done"
    inbox.check()


@requirement("QUA-05", "ING-25")
def test_replays_and_live_runs_at_once_publish_each_row_once(inbox: Inbox) -> None:
    for _ in range(2):
        inbox.world.add_file(inbox.rng)
        racers = [Replay(inbox.world), Run(inbox.world), Replay(inbox.world, inbox.rng.choice(POINTS))]
        if inbox.rng.random() < 0.7:
            racers[2].kill_after(inbox.rng.uniform(0.1, 0.6))
        outcomes = [racer.outcome() for racer in racers]
        assert not [
            each for each in outcomes if each.partition(":")[0] not in ("done", "killed", "committed", "Fenced")
        ]
        assert Run(inbox.world).outcome() == "committed"
        inbox.correct()
    assert Replay(inbox.world).outcome() == "done"
    inbox.check()
