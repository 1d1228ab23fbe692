"""Runs the pipeline's steps in processes of their own and kills them, at a named point or at a random moment.

Children are forked from a server that has imported the engine already: a run costs tenths of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.crash.world import World

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.crash.preload"])


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _wrap(owner: Any, name: str, before: Callable[[], None] | None, after: Callable[[], None] | None) -> None:
    real = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before:
            before()
        result = real(*args, **kwargs)
        if after:
            after()
        return result

    setattr(owner, name, wrapped)


def _nth(number: int, act: Callable[[], None]) -> Callable[[], None]:
    calls = 0

    def counted() -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            act()

    return counted


@dataclass(frozen=True)
class Point:
    """Where to die: before or after the `nth` call of `module:Class.method`."""

    target: str
    when: str
    nth: int = 1

    def arm(self) -> None:
        from importlib import import_module

        module, _, path = self.target.partition(":")
        owner_name, _, method = path.rpartition(".")
        owner = getattr(import_module(module), owner_name)
        act = _nth(self.nth, _die)
        _wrap(owner, method, act if self.when == "before" else None, act if self.when == "after" else None)

    def __str__(self) -> str:
        return f"{self.when} {self.target.rpartition(':')[2]} #{self.nth}"


_FOLDER = "dativo_provider.pipeline.folder:RunFolder"
_STEPS = [
    *(Point(f"{_FOLDER}.{step}", when) for step in ("write_plan", "add_manifest", "write_verdict", "write_published")
      for when in ("before", "after")),
    Point("dativo_provider.pipeline.rows:RowPath.take", "before"),
    Point("dativo_provider.pipeline.rows:RowPath.take", "after"),
    Point("dativo_provider.pipeline.rows:RowPath.close", "after"),
    Point("dativo_provider.lake.iceberg:IcebergTarget.prepare", "after"),
    Point("dativo_provider.lake.iceberg:IcebergTarget.publish", "before"),
    Point("dativo_provider.lake.iceberg:IcebergTarget.publish", "after"),
]  # fmt: skip


def points(catalog: str) -> list[Point]:
    """Of runs into tables of `catalog`, a class of PyIceberg's shape."""
    commits = [Point(f"{catalog}.commit_table", when, nth) for nth in (1, 2) for when in ("before", "after")]
    return [*_STEPS, *commits]


POINTS = points(World.catalog)


def _steps(world: World, plan_uri: str, full_refresh: bool) -> str:
    from dativo_provider.model.run import RunRequest
    from dativo_provider.pipeline import steps

    ctx = world.context()
    if not plan_uri:
        plan_uri = steps.plan(world.job(), "orders", ctx, RunRequest(full_refresh=full_refresh)).path
        (world.root / "last-plan").write_text(plan_uri)
    from dativo_provider.pipeline.workplace import open_folder

    for piece in open_folder(plan_uri, ctx).plan().slices:
        steps.extract(plan_uri, piece.index, ctx)
    steps.transform(plan_uri, ctx)
    steps.audit(plan_uri, ctx)
    return steps.publish(plan_uri, ctx).outcome


def _child(world: World, plan_uri: str, point: Point | None, full_refresh: bool, results: Any) -> None:
    if point:
        point.arm()
    try:
        results.put(_steps(world, plan_uri, full_refresh))
    except Exception as error:
        results.put(f"{type(error).__name__}: {error}")


def get_ready() -> None:
    """The server has imported everything: a run measured now is no slower than later ones."""
    first = CONTEXT.Process(target=time.time)
    first.start()
    first.join()


class Run:
    """One process on its way through the steps."""

    def __init__(
        self, world: World, plan_uri: str = "", point: Point | None = None, full_refresh: bool = False
    ) -> None:
        self._results = CONTEXT.SimpleQueue()
        self.process = CONTEXT.Process(target=_child, args=(world, plan_uri, point, full_refresh, self._results))
        self.process.start()

    def kill_after(self, seconds: float) -> None:
        """Unless it has ended before."""
        self.process.join(seconds)
        self.process.kill()

    def outcome(self, timeout: float = 120) -> str:
        """`killed`, a `Published.outcome`, or the error's class and text."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            self.process.kill()
            raise AssertionError("a run hangs")
        return "killed" if self.process.exitcode == -signal.SIGKILL else self._results.get()


def last_plan(world: World) -> str:
    path = world.root / "last-plan"
    return path.read_text() if path.exists() else ""
