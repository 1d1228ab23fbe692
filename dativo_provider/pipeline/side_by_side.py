"""The slices of a plan in one process: as many at once as there are threads, connections and memory for."""

from __future__ import annotations

from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event

from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.pipeline.extract import extract

__all__ = ["extract_all"]


def extract_all(plan: Plan, ctx: RunContext) -> None:
    """Raises the first error after the other slices were stopped; what they have staged stays invisible."""
    workers = min(len(plan.slices), ctx.settings.threads, plan.job.source.pool_size)
    if workers > 1:
        _at_once(plan, workers, ctx)
    else:
        for piece in plan.slices:
            extract(plan.path, piece.index, ctx)


def _at_once(plan: Plan, workers: int, ctx: RunContext) -> None:
    child = _child(ctx, workers)
    ctx.on_cancel.append(child.cancel)
    try:
        with ThreadPoolExecutor(workers, thread_name_prefix="dativo-slice") as pool:
            running = [pool.submit(_one, plan, piece.index, child) for piece in plan.slices]
            wait(running, return_when=FIRST_EXCEPTION)
            if (error := _failure(running)) is not None:
                child.cancel()
                raise error
    finally:
        ctx.on_cancel.remove(child.cancel)


def _child(ctx: RunContext, workers: int) -> RunContext:
    """Cancelled with `ctx` or by itself; with its share of the memory."""
    settings = replace(ctx.settings, parties=workers, threads=max(1, ctx.settings.threads // workers))
    child = replace(ctx, settings=settings, cancelled=Event(), on_cancel=[])
    if ctx.cancelled.is_set():
        child.cancelled.set()
    return child


def _one(plan: Plan, index: int, ctx: RunContext) -> Manifest:
    ctx.check_cancelled()
    return extract(plan.path, index, replace(ctx, labels=dict(ctx.labels)))


def _failure(running: list[Future[Manifest]]) -> BaseException | None:
    return next((future.exception() for future in running if future.done() and future.exception()), None)
