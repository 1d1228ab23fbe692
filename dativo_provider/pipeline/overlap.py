"""Whether a run may meet rows that another lane of its stream has published, and what follows in append mode.

The live lane and each backfill know their own position only: a backfill may cover what live runs have brought, a
first live run what a backfill has, a repeated backfill its own rows, and a lane that was set back what it had read.
With a key such rows are told, and counted as duplicates; without one the run would double them, so it is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dativo_provider.errors import ConfigurationError
from dativo_provider.lake.lanes import ranges_meet
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Lane, State
from dativo_provider.model.stream import Window

__all__ = ["told_apart"]


def told_apart(
    job: JobSpec, spec: StreamSpec, window: Window, lane: Lane, state: State, lanes: Collection[str]
) -> Window:
    """`window`, overlapping where it may be. `lanes` are those of the stream that have published.

    Raises `ConfigurationError` when rows would be doubled because the stream has no key.
    """
    if not TRAITS[job.target.mode].adds or window.kind == "empty" or window.overlap or lane.kind == "replay":
        return window
    lanes = [suffix for suffix in lanes if Lane.of(suffix).kind != "replay"]  # those rows had been read already
    if not (set(lanes) - {lane.suffix} or (lane.kind == "backfill" and state.seq) or state.rewound):
        return window
    if spec.key:
        return replace(window, overlap=True)
    if _doubles(lane, state, lanes):
        raise _no_key(job, spec, lane)
    return window


def _doubles(lane: Lane, state: State, lanes: Collection[str]) -> bool:
    """Backfills of ranges that lie apart double nothing; every other pair of lanes may."""
    if lane.kind == "live":
        return state.seq == 0 or state.rewound
    return state.seq > 0 or any(ranges_meet(lane.suffix, other) for other in lanes)


def _no_key(job: JobSpec, spec: StreamSpec, lane: Lane) -> ConfigurationError:
    what = "this range" if lane.kind != "live" else "a part of this stream"
    return ConfigurationError(
        f"{what} may be in the table already, and '{spec.name}' has no key to tell its rows by: "
        "they would be there twice",
        where=job.path or job.dag_id,
        remedy="name the primary key in the contract (or `key` in the job), choose a range that no earlier run has "
        "read, or run once with --full-refresh",
    )
