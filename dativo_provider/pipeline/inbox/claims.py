"""Which rows a replay claims, in the log before its main commit. See `replay` for why that order loses nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.model.context import RunContext
from dativo_provider.model.inbox import Entry
from dativo_provider.model.run import Plan
from dativo_provider.pipeline.inbox.box import open_box
from dativo_provider.pipeline.inbox.log import Line, batches
from dativo_provider.pipeline.inbox.parts import IDENTITY, Parts
from dativo_provider.pipeline.workplace import run_files

__all__ = ["claim"]


def claim(plan: Plan, ctx: RunContext) -> None:
    """Writes the claims of a replay, once; nothing for other runs."""
    request = plan.request.replay
    if request is None:
        return
    tables = open_box(plan.job, plan.stream, ctx).tables
    if not tables.has_action(request.id):
        parts = Parts(run_files(request.folder, ctx), request.folder)
        lines = (Line(entry, "replayed") for entry in _entries(parts))
        tables.append(request.id, batches(lines, request.id, plan.stream, request.by, ctx.now()))


def _entries(parts: Parts) -> Iterator[Entry]:
    """As far as a claim needs them."""
    for part in parts.read():
        for row in part.select(IDENTITY).to_pylist():
            run, row_id, reference, expires = (row[name] for name in IDENTITY)
            yield Entry(run, row_id, reference, "quarantined", (), "", None, expires_at=expires)
