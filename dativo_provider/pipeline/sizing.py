"""How many slices a run has: as the job says, else by what the source says of its size."""

from __future__ import annotations

import os

from dativo_provider.model.budget import Budget
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.reader import Reader
from dativo_provider.model.run import RunRequest
from dativo_provider.model.stream import Slice, Window

__all__ = ["MAX_SLICES", "cut_slices"]

MAX_SLICES = 256
SLICE_BYTES = 2 << 30  # of the source: minutes of work, so that starting a task costs little and repeating it too
_ALONE = 8  # times that, where dividing adds work and no worker


def cut_slices(
    job: JobSpec, spec: StreamSpec, window: Window, request: RunRequest, reader: Reader, ctx: RunContext
) -> tuple[Slice, ...]:
    """Logs why there are as many as there are."""
    if window.kind == "empty":
        return ()
    want, why = _single(job, spec, window, request, reader) or _many(job, spec, window, reader, ctx)
    made = tuple(reader.slices(spec, window, want))
    budget, limit = Budget.of(ctx.settings), ctx.settings.memory_limit_mb
    ctx.event(
        "extractor_initialized",
        f"{spec.name}: {len(made)} slice{'s' if len(made) != 1 else ''}: {why}; in {limit} MB of memory rows are "
        f"written in groups of at most {budget.group_bytes >> 20} MB",
        slices=len(made),
        wanted=want,
        memory_limit_mb=limit,
    )
    return made


def _single(
    job: JobSpec, spec: StreamSpec, window: Window, request: RunRequest, reader: Reader
) -> tuple[int, str] | None:
    """One slice, and why it cannot be more."""
    can = reader.capabilities
    if not can.sliceable:
        return 1, f"{job.source.connector} cannot be divided"
    if request.limit is not None:
        return 1, "only the first rows are read"
    if window.overlap and spec.key and TRAITS[job.target.mode].adds and not can.ordered_cursor:
        return 1, "the same row may come in two files, and only who reads both can tell"
    return None


def _many(job: JobSpec, spec: StreamSpec, window: Window, reader: Reader, ctx: RunContext) -> tuple[int, str]:
    if job.slices:
        return min(job.slices, MAX_SLICES), f"the job asks for {job.slices}"
    if reader.capabilities.point_in_time and window.kind == "full" and not ctx.settings.distributed:
        return 1, "one snapshot of the source, by this machine alone"
    size = reader.estimate(spec, window)
    if size is None:
        return 1, "the source does not tell its size"
    most = SLICE_BYTES * (_ALONE if _keeps_all_busy(reader, ctx) else 1)
    want = min(MAX_SLICES, max(1, -(-size // most)))
    return want, f"about {size / (1 << 20):,.0f} MB, of which a slice holds up to {most >> 20} MB"


def _keeps_all_busy(reader: Reader, ctx: RunContext) -> bool:
    """Whether one slice at a time uses every core there is."""
    settings = ctx.settings
    return reader.capabilities.threaded and not settings.distributed and settings.threads >= (os.cpu_count() or 1)
