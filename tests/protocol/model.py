"""The publish protocol as a state machine small enough to be explored whole (ARCHITECTURE 4.3-4.6).

Two plans race for one table; one of them runs twice (a cleared task, a late twin). Every process may die between any
two steps, any commit may land and be reported as failed, a foreign writer commits whenever it likes, the source grows,
a sweep removes what it takes for orphans. `Rules` are the decisions of the protocol; each can be broken on its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["STEPS", "Rules", "World", "explore", "start", "unsound"]

Mode = Literal["append", "replace"]
Step = Literal["plan", "stage", "load", "commit", "settle", "quarantine", "state", "ended"]


@dataclass(frozen=True)
class Rules:
    """What the protocol holds to."""

    mode: Mode = "append"
    fence: Literal["seq", "cursor", "none"] = "seq"
    remembers_runs: bool = True
    compares_and_sets: bool = True
    state_in_the_commit: bool = True
    keeps_files_of_unknown_commits: bool = True
    main_first: bool = True
    finishes_pending_first: bool = True
    sweep_spares_the_living: bool = True


class State(NamedTuple):
    """The lane's record in the table. `pending` is the plan whose quarantine is still to be appended."""

    seq: int = 0
    cursor: int = 0
    runs: tuple[str, ...] = ()
    pending: tuple[str, int, int] | None = None


class File(NamedTuple):
    """Rows `lo < row <= hi` of the source, written by one process for a plan."""

    plan: str
    process: int
    lo: int
    hi: int

    def rows(self, *, good: bool) -> list[int]:
        return [row for row in range(self.lo + 1, self.hi + 1) if (row % 2 == 1) is good]


class Table(NamedTuple):
    version: int = 0
    files: tuple[File, ...] = ()


class Process(NamedTuple):
    """`base` is the state as planned; `seen` is what the last load showed: the version and the state."""

    plan: str
    step: Step = "plan"
    base: State = State()
    hi: int = 0
    seen: tuple[int, State] = (0, State())


class World(NamedTuple):
    processes: tuple[Process, ...]
    high: int = 2
    growth: int = 1
    foreign: int = 1
    main: Table = Table()
    state: State = State()
    quarantine: Table = Table()
    settled: int = 0  # `seq` of the last main commit whose quarantine is in
    planned: tuple[tuple[str, State, int], ...] = ()  # plan.json of each plan
    staged: frozenset[File] = frozenset()
    readable: bool = True
    newest: int = 0  # the highest row any commit has shown to readers


def start(*plans: str) -> World:
    return World(tuple(Process(plan) for plan in plans))


def explore(rules: Rules, first: World) -> Iterator[World]:
    """Every world that can be reached."""
    seen, queue = {first}, deque([first])
    while queue:
        world = queue.popleft()
        yield world
        for after in _successors(world, rules):
            if after not in seen:
                seen.add(after)
                queue.append(after)


def _successors(world: World, rules: Rules) -> Iterator[World]:
    if world.growth:
        yield world._replace(high=world.high + 2, growth=world.growth - 1)
    if world.foreign:
        yield world._replace(main=world.main._replace(version=world.main.version + 1), foreign=world.foreign - 1)
    yield from _swept(world, rules)
    for number, process in enumerate(world.processes):
        if process.step != "ended":
            yield _moved(world, number, step="ended")  # SIGKILL
            yield from STEPS[process.step](world, rules, number)


def _moved(world: World, number: int, **changes: object) -> World:
    processes = list(world.processes)
    processes[number] = processes[number]._replace(**changes)  # type: ignore[arg-type]
    return world._replace(processes=tuple(processes))


# the steps of a run -------------------------------------------------------------------------------------------


def _plan(world: World, rules: Rules, number: int) -> Iterator[World]:
    """A twin reads the plan that is there."""
    process = world.processes[number]
    found = next((each for each in world.planned if each[0] == process.plan), None)
    base, hi = found[1:] if found else (world.state, world.high)
    after = world if found else world._replace(planned=(*world.planned, (process.plan, base, hi)))
    yield _moved(after, number, step="stage", base=base, hi=hi)


def _stage(world: World, rules: Rules, number: int) -> Iterator[World]:
    """The first attempt's manifest wins; both publish the files it names."""
    process = world.processes[number]
    if not any(file.plan == process.plan for file in world.staged):
        lo = 0 if rules.mode == "replace" else process.base.cursor
        world = world._replace(staged=world.staged | {File(process.plan, number, lo, process.hi)})
    yield _moved(world, number, step="load")


def _load(world: World, rules: Rules, number: int) -> Iterator[World]:
    process, state = world.processes[number], world.state
    if rules.remembers_runs and process.plan in state.runs:
        yield _moved(world, number, step="settle", seen=(world.main.version, state))
    elif _fenced(rules, process, state) or not any(file.plan == process.plan for file in world.staged):
        yield _moved(world, number, step="ended")
    else:
        yield _moved(world, number, step="commit", seen=(world.main.version, state))


def _fenced(rules: Rules, process: Process, state: State) -> bool:
    if rules.fence == "seq":
        return state.seq != process.base.seq
    return rules.fence == "cursor" and state.cursor != process.base.cursor


def _commit(world: World, rules: Rules, number: int) -> Iterator[World]:
    process = world.processes[number]
    version, state = process.seen
    staged = next((each for each in world.staged if each.plan == process.plan), None)
    file = staged or File(process.plan, number, 0, process.hi)  # it was there when it was looked for
    if rules.finishes_pending_first and state.pending and world.settled < state.pending[1]:
        yield from _settled(world, state, number, "commit")
        return
    if not rules.main_first and not any(each.plan == file.plan for each in world.quarantine.files):
        yield world._replace(quarantine=world.quarantine._replace(files=(*world.quarantine.files, file)))
        return
    if rules.compares_and_sets and version != world.main.version:
        yield _moved(world, number, step="load")
        return
    landed = _landed(world, rules, process, file)
    yield _moved(landed, number, step="settle" if rules.state_in_the_commit else "state")
    yield _moved(_cleaned(landed, rules), number, step="load")  # it landed, the answer was lost
    yield _moved(_cleaned(world, rules, file), number, step="load")  # it did not land


def _landed(world: World, rules: Rules, process: Process, file: File) -> World:
    files = (file,) if rules.mode == "replace" else (*world.main.files, file)
    main = Table(world.main.version + 1, files)
    shown = world._replace(main=main, newest=max(world.newest, file.hi))
    return shown._replace(state=_after(world.state, rules, process)) if rules.state_in_the_commit else shown


def _after(state: State, rules: Rules, process: Process) -> State:
    # a full load moves no cursor
    cursor = state.cursor if rules.mode == "replace" else process.hi
    lo = 0 if rules.mode == "replace" else process.base.cursor
    bad = File(process.plan, 0, lo, process.hi).rows(good=False)
    pending = (process.plan, state.seq + 1, process.hi) if bad and rules.main_first else None
    return State(state.seq + 1, cursor, (*state.runs, process.plan), pending)


def _cleaned(world: World, rules: Rules, unlanded: File | None = None) -> World:
    """A library that deletes what a failed commit has written takes a landed one's manifests along."""
    if rules.keeps_files_of_unknown_commits or unlanded is not None:
        return world
    return world._replace(readable=False)


def _state(world: World, rules: Rules, number: int) -> Iterator[World]:
    """Only where the state has a commit of its own."""
    after = _after(world.state, rules, world.processes[number])
    yield _moved(world._replace(state=after), number, step="settle")


def _settle(world: World, rules: Rules, number: int) -> Iterator[World]:
    pending = world.state.pending
    if pending is None or world.settled >= pending[1]:
        yield _moved(world, number, step="ended")
    else:
        yield from _settled(world, world.state, number, "settle")


def _settled(world: World, state: State, number: int, step: Step) -> Iterator[World]:
    """The quarantine's append: its own record is compared and set in its own commit, which may be reported lost."""
    assert state.pending is not None
    plan, seq, _hi = state.pending
    file = next(each for each in world.staged | set(world.main.files) if each.plan == plan)
    appended = Table(world.quarantine.version + 1, (*world.quarantine.files, file))
    yield _moved(world._replace(quarantine=appended, settled=seq), number, step=step)


STEPS = {"plan": _plan, "stage": _stage, "load": _load, "commit": _commit, "state": _state, "settle": _settle}


def _swept(world: World, rules: Rules) -> Iterator[World]:
    """Staged files that nothing refers to, of plans nobody works at."""
    living = {process.plan for process in world.processes if process.step != "ended"}
    promised = {world.state.pending[0]} if world.state.pending else set()
    for file in world.staged - set(world.main.files) - set(world.quarantine.files):
        if file.plan not in promised and not (rules.sweep_spares_the_living and file.plan in living):
            yield world._replace(staged=world.staged - {file})


# what must hold in every world --------------------------------------------------------------------------------


def unsound(world: World, rules: Rules) -> str:
    """What is wrong with what readers, the next run and the operator see now; empty when nothing is."""
    shown = sorted(row for file in world.main.files for row in file.rows(good=True))
    upto = world.newest if rules.mode == "replace" else world.state.cursor
    if not world.readable:
        return "the table's metadata names manifests that are gone"
    if missing := [file for file in world.main.files if file not in world.staged]:
        return f"the table names files that are gone: {missing}"
    if len(set(shown)) != len(shown):
        return f"rows stand twice in the table: {shown}"
    if shown != [row for row in range(1, upto + 1) if row % 2 == 1]:
        return f"the cursor is at {upto}, but the table holds {shown}"
    return _unsound_quarantine(world, rules, upto)


def _unsound_quarantine(world: World, rules: Rules, upto: int) -> str:
    held = [row for file in world.quarantine.files for row in file.rows(good=False)]
    if rules.mode == "append" and len(set(held)) != len(held):
        return f"rows stand twice in the quarantine: {held}"
    if any(row > upto for row in held):
        return f"the quarantine holds {held}, of which the table knows nothing yet"
    pending = world.state.pending
    promised = range(1, pending[2] + 1) if pending and world.settled < pending[1] else ()
    bad = {row for row in range(1, upto + 1) if row % 2 == 0}
    lost = bad - set(held) - set(promised)
    return f"rows {sorted(lost)} are neither in the table, nor in the quarantine, nor promised to it" if lost else ""
