"""kill -9 while a target publishes; inherited for every place where the commit is made another way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.settings import Settings
from tests.lake.killing import Point, in_child, start_child
from tests.lake.support import Lake, job, settings
from tests.support import requirement

__all__ = ["CrashSuite", "publish"]


def publish(where: Settings, plan: Plan, made: Manifest, target: Mapping[str, Any] | None = None) -> str:
    """In a process of its own."""
    return Lake(where, job(**target or {})).publish(plan, [made], made.books.extracted).outcome


@pytest.mark.crash
class CrashSuite:
    """`points` are where a publish dies, `replacing` those of a replace; `target` is what its jobs say."""

    points: ClassVar[Mapping[str, Point]]
    replacing: ClassVar[Sequence[str]]
    target: ClassVar[Mapping[str, Any]] = {}

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        names = {"point": list(self.points), "step": list(self.replacing)}
        for argument in names.keys() & set(metafunc.fixturenames):
            chosen = names[argument]
            metafunc.parametrize(argument, [self.points[name] for name in chosen], ids=chosen)

    @pytest.fixture
    def where(self, tmp_path: Path) -> Settings:
        return settings(tmp_path)

    def lake(self, where: Settings, **more: Any) -> Lake:
        return Lake(where, job(**self.target, **more))

    def settle(self, lake: Lake) -> None:
        """What the next run would clear away."""
        lake.target.sweep_old(lake.plan())

    def check(self, lake: Lake, rows: Sequence[int], bad: Sequence[str] = ()) -> None:
        """Every row once, for every kind of reader the place has."""
        assert lake.ids() == list(rows)
        if bad:
            assert lake.quarantine() == list(bad)

    @requirement("ING-25", "STA-09")
    @pytest.mark.parametrize("again", ["the same run again", "a new run"])
    def test_a_publish_killed_anywhere_ends_up_exact(self, where: Settings, point: Point, again: str) -> None:
        lake = self.lake(where)
        lake.run([0], bad=[100])
        plan = lake.plan()
        made = lake.extract(plan, [1, 2], [101])
        assert in_child(publish, where, plan, made, self.target, kill=point).killed
        if again == "the same run again":
            assert lake.publish(plan, [made], 3).outcome in {"committed", "already"}
        elif lake.state().seq == 1:
            lake.run([1, 2], bad=[101])
        else:
            lake.run([])
        self.settle(lake)
        self.check(lake, [0, 1, 2], ["r100", "r101"])

    @requirement("ING-25")
    def test_a_twin_of_a_killed_publish_is_exact_too(self, where: Settings, point: Point) -> None:
        lake = self.lake(where)
        plan = lake.plan()
        made = lake.extract(plan, range(10), [101])
        dying = start_child(publish, where, plan, made, self.target, kill=point)
        twin = start_child(publish, where, plan, made, self.target)
        assert dying.wait().exitcode in {0, -9}  # the twin may have been faster everywhere
        ended = twin.wait()
        assert ended.result in {"committed", "already"}, ended.error
        self.check(lake, range(10), ["r101"])

    @requirement("ING-25")
    def test_a_replace_killed_anywhere_leaves_the_old_rows_or_the_new_ones(self, where: Settings, step: Point) -> None:
        full = self.lake(where, mode="replace")
        full.run([1, 2, 3])
        plan = full.plan()
        made = full.extract(plan, [7, 8])
        in_child(publish, where, plan, made, {**self.target, "mode": "replace"}, kill=step)
        assert full.ids() in ([1, 2, 3], [7, 8])
        full.publish(plan, [made])
        self.settle(full)
        self.check(full, [7, 8])
