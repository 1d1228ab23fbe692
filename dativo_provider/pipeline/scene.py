"""What the checks of a run as a whole may look at."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from dativo_provider.model.books import Books
from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Manifest, Plan
from dativo_provider.model.target import Target
from dativo_provider.pipeline.acceptance import accepted
from dativo_provider.pipeline.records import history

if TYPE_CHECKING:
    from dativo_provider.quality.metrics.base import Scene

__all__ = ["scene_of"]


def scene_of(plan: Plan, manifests: Sequence[Manifest], books: Books, target: Target, ctx: RunContext) -> Scene:
    from dativo_provider.quality.metrics.base import Scene

    files = [file for manifest in manifests for file in manifest.files]
    return Scene(
        read=lambda columns: target.read_staged(plan, files, columns),
        books=books,
        now=ctx.now(),
        settings=ctx.settings,
        fields=plan.fields,
        history=history(plan, ctx),
        accepted=cache(lambda: accepted(plan.job, plan.stream, ctx)),
        table=lambda name: target.version(plan.job, name),
        published=lambda ranges, keys: target.published_within(plan, ranges, keys),
        plan=plan,
        check_cancelled=ctx.check_cancelled,
        facts=lambda columns: target.facts(plan, files, columns),
        deletes=sum(manifest.deletes for manifest in manifests),
    )
