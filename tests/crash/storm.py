"""Everything at once: runs die while twins, new runs, a rival writer and maintenance work on the same table, over a
network that may fail."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from dativo_provider import errors
from tests.crash.others import Others, maintainer, rival
from tests.crash.processes import Run, get_ready, last_plan, points
from tests.crash.readback import published_ids
from tests.crash.share import Figures, counted, share
from tests.crash.world import World

__all__ = ["storm"]

Weather = AbstractContextManager[Counter[str]]
Acts = Sequence[Callable[[Any, int], str]]  # what others do beside the runs


def storm(name: str, world: World, weather: Weather | None = None, acts: Acts = (rival, maintainer)) -> None:
    """Until this world's share of runs is killed; afterwards every row is where it belongs, exactly once, and what
    the rival wrote is there."""
    with counted(name) as figures:
        _rage(world, random.Random(name), weather or nullcontext(Counter()), figures, acts)
        _clear_up(world)
        figures.rows = world.rows


def _rage(world: World, rng: random.Random, weather: Weather, figures: Figures, acts: Acts) -> None:
    usual = _first_run(world, rng)
    others = Others(world, rng, acts)
    with weather as figures.faults:
        while figures.kills < share(figures.world):
            world.add_file(rng)
            others.stir()
            _attempt(world, rng, figures, usual)
    others.end()
    figures.saw_others(others.outcomes)
    world.rivals = others.appended, others.tried


def _first_run(world: World, rng: random.Random) -> float:
    """The seconds it took: moments to die are chosen within, however slow the machine."""
    world.add_file(rng)
    get_ready()
    started = time.monotonic()
    assert (outcome := Run(world).outcome()) == "committed", outcome
    return time.monotonic() - started


def _attempt(world: World, rng: random.Random, figures: Figures, usual: float) -> None:
    """A run that may be killed, beside it perhaps another; then perhaps its plan again, perhaps twice at once."""
    before, beside = last_plan(world), []
    run = Run(world, point=rng.choice(points(world.catalog)) if rng.random() < 0.5 else None)
    if rng.random() < 0.2:
        beside.append(Run(world))
    run.kill_after(rng.uniform(0, 1.5 * usual))
    outcomes = [run.outcome()]
    if (plan := last_plan(world)) != before:
        twins = [Run(world, plan_uri=plan) for _ in range(rng.choice([0, 1, 2]))]
        figures.twins += len(twins)
        beside += twins
    outcomes += [each.outcome() for each in beside]
    for outcome in outcomes:
        figures.saw(outcome)
    assert not [outcome for outcome in outcomes if _unexpected(outcome)], outcomes


def _unexpected(outcome: str) -> bool:
    """Only errors that trying again may help are fit for such weather."""
    kind = getattr(errors, outcome.partition(":")[0], None)
    expected = kind is not None and issubclass(kind, errors.RetryableError | errors.Fenced)
    return outcome not in {"committed", "already", "killed"} and not expected


def _clear_up(world: World) -> None:
    appended, tried = world.rivals
    found = Counter(identity for identity in published_ids(world) if identity < 0)
    assert found.keys() <= tried, "rows nobody wrote"
    assert set(found.values()) <= {1}, "a rival's rows are doubled"
    if world.keeps_rivals:
        assert appended <= found.keys(), "a rival's rows are lost"
    for _ in range(2):
        assert (outcome := Run(world).outcome()) == "committed", outcome
    again = Counter(identity for identity in published_ids(world) if identity < 0)
    assert again == (found if world.keeps_rivals else Counter()), "a run took a rival's rows"
    world.check()
