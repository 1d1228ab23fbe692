"""Blocks of text become batches, parsed by a few threads, in the file's order and at their lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pyarrow.compute as pc

from dativo_provider.connectors.csv.blocks import Block, Cutter, Miscut
from dativo_provider.connectors.csv.parse import BlockParser
from dativo_provider.model.batch import Batch

__all__ = ["parsed", "portions", "selected"]


def parsed(parser: BlockParser, cutter: Cutter, line: int, pool: ThreadPoolExecutor, ahead: int) -> Iterator[Batch]:
    """The batches in the file's order, at most `ahead` of them waiting; the first block begins on `line`."""
    waiting: deque[tuple[Block, Future[tuple[Batch, int]]]] = deque()
    blocks = iter(cutter)
    while True:
        block = next(blocks, None)
        if block:
            waiting.append((block, pool.submit(parser, block)))
        if not waiting:
            break
        if block is None or len(waiting) > ahead:
            try:
                batch, lines = waiting[0][1].result()
            except Miscut:
                cutter.recut([block for block, _ in waiting])
                waiting.clear()
                blocks = iter(cutter)
                continue
            waiting.popleft()
            yield _below(batch, line)
            line += lines
    if cutter.overlong:
        raise parser.overlong(line)


def _below(batch: Batch, line: int) -> Batch:
    """`batch`, whose lines count from 0, at its place in the file."""
    positions = None if batch.positions is None else pc.add(batch.positions, line)
    rejects = tuple(replace(reject, position=reject.position + line) for reject in batch.rejects)
    return replace(batch, positions=positions, rejects=rejects)


def selected(batch: Batch, columns: tuple[str, ...]) -> Batch:
    if not columns:
        return batch
    here = [name for name in columns if name in batch.data.schema.names]
    return replace(batch, data=batch.data.select(here))


def portions(batch: Batch, limit: int) -> Iterator[Batch]:
    """The batch in pieces of at most `limit` rows (0: whole); the first carries the rejects."""
    if not batch.rows:
        return
    if not limit or batch.data.num_rows <= limit:
        yield batch
        return
    for start in range(0, batch.data.num_rows, limit):
        places = None if batch.positions is None else batch.positions.slice(start, limit)
        rejects = batch.rejects if start == 0 else ()
        yield replace(batch, data=batch.data.slice(start, limit), positions=places, rejects=rejects)
