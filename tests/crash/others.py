"""Others at work on the same table while runs live and die: each in a process of its own, which may be killed too."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.crash.processes import CONTEXT
from tests.crash.world import World

__all__ = ["Others", "maintainer", "rival"]

TABLE = "acme.orders"
_numbers = itertools.count(1)


def rival(world: World, identity: int) -> str:
    """Another program appends a row of its own; its ids are below zero."""
    import pyarrow as pa
    from pyiceberg.exceptions import NoSuchTableError

    from dativo_provider.lake.catalog import open_catalog

    try:
        table = open_catalog(world.context().settings).load_table(TABLE)
    except NoSuchTableError:
        return "early"
    moment = pa.timestamp("us", "UTC")
    wanted = {"id": pa.int64(), "amount": pa.decimal128(12, 2), "updated_at": moment, "changed_at": moment}
    values = {"id": -identity, "amount": Decimal("1.50"), "updated_at": 0, "changed_at": 0}
    fields = [pa.field(name, wanted[name], nullable=False) for name in table.schema().column_names if name in wanted]
    row = {each.name: pa.array([values[each.name]], each.type) for each in fields}
    table.append(pa.table(row, schema=pa.schema(fields)))
    return "appended"


def maintainer(world: World, identity: int) -> str:
    """Files become fewer and snapshots are forgotten, with settings under which there is always something to do."""
    from dativo_provider.files import open_files
    from dativo_provider.lake.catalog import open_catalog
    from dativo_provider.lake.maintain import Work, job
    from dativo_provider.model.maintenance import MaintenanceSpec

    settings = world.context().settings
    files = open_files(settings.catalog.warehouse, dict(settings.catalog.properties))
    spec = MaintenanceSpec(retention_days=0, keep_snapshots=2, min_files=2)
    work = Work(open_catalog(settings), TABLE, files, spec)
    done = [name for name in ("compact", "manifests", "expire") if job(name)(work).outcome == "done"]
    return " ".join(["kept", *done])


@dataclass
class Others:
    """`acts` are done now and then; what they came to is collected at the end."""

    world: World
    rng: random.Random
    acts: Sequence[Callable[[World, int], str]] = (rival,)
    running: list[tuple[int, Any, Any]] = field(default_factory=list)
    appended: set[int] = field(default_factory=set)
    tried: set[int] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)

    def stir(self) -> None:
        """Starts one of them, which may be killed at work."""
        self._start(self.rng.choice(self.acts))
        if self.rng.random() < 0.2:
            time.sleep(self.rng.uniform(0, 0.8))
            self._reap(-1, kill=True)
        elif len(self.running) > 2:
            self._reap(0, kill=False)

    def end(self) -> None:
        """When all is calm again, each can still do its work."""
        for act in self.acts:
            self._start(act)
            while self.running:
                self._reap(0, kill=False)
        assert {"appended", "kept"} <= self.outcomes.keys(), self.outcomes

    def _start(self, act: Callable[[World, int], str]) -> None:
        identity, results = next(_numbers), CONTEXT.SimpleQueue()
        process = CONTEXT.Process(target=_act, args=(act, self.world, identity, results))
        process.start()
        self.tried.add(-identity)
        self.running.append((identity, process, results))

    def _reap(self, which: int, *, kill: bool) -> None:
        identity, process, results = self.running.pop(which)
        if kill:
            process.kill()
        process.join(120)
        assert process.exitcode is not None, "another one hangs"
        outcome = "killed" if process.exitcode else results.get()
        self.outcomes.update(outcome.split())
        if outcome == "appended":
            self.appended.add(-identity)


def _act(act: Callable[[World, int], str], world: World, identity: int, results: Any) -> None:
    try:
        results.put(act(world, identity))
    except Exception as error:  # it lost a race or its connection: its own concern
        results.put(type(error).__name__)
