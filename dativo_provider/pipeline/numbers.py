"""Numbers that a run leaves for those after it: its score, what its checks measured, and the profile of its rows.

They may be late or missing, and stop no run. A replay leaves none: a few corrected rows are no delivery.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dativo_provider.model.books import Books
from dativo_provider.model.checks import Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Manifest, Plan, data_time, dump, load
from dativo_provider.model.target import Target
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.scene import scene_of

__all__ = ["leave_numbers", "leave_profile", "leave_score", "measured", "scored"]


def leave_score(plan: Plan, verdict: Verdict, ctx: RunContext) -> None:
    """Of every audited run, blocked ones too: that is what a trend is to show."""
    _record(plan, scored(plan, verdict), ctx)


def scored(plan: Plan, verdict: Verdict) -> dict[str, float]:
    from dativo_provider.quality.score import scorecard

    return scorecard(verdict.results, plan.checks, plan.fields).metrics()


def leave_profile(
    folder: RunFolder, plan: Plan, manifests: Sequence[Manifest], books: Books, target: Target, ctx: RunContext
) -> None:
    """As the job asks for it; else what is known without reading a row."""
    if plan.request.dry_run:
        return
    from dativo_provider.quality.profile.light import light_profile
    from dativo_provider.quality.profile.measure import profile

    share, scene = plan.job.profile, scene_of(plan, manifests, books, target, ctx)
    try:
        folder.write_profile(dump(profile(scene, share=share) if share else light_profile(scene)))
    except Exception as problem:  # a profile is never worth a run, whatever went wrong with it
        ctx.log.warning("this run leaves no profile: %s", type(problem).__name__)


def leave_numbers(folder: RunFolder, plan: Plan, ctx: RunContext) -> None:
    """Of an accepted run: what the next one's anomaly and change checks are judged against."""
    _record(plan, measured(folder, plan, folder.verdict()), ctx)


def measured(folder: RunFolder, plan: Plan, verdict: Verdict) -> dict[str, float]:
    from dativo_provider.quality.metrics.measured import history_of
    from dativo_provider.quality.profile.model import Profile

    text = folder.profile()
    profiled = load(Profile, text).metrics() if text and plan.job.profile else {}
    return {**profiled, **history_of(verdict.results)}


def _record(plan: Plan, values: Mapping[str, float], ctx: RunContext) -> None:
    from dativo_provider.store import StreamKey, open_store

    if values and not plan.request.dry_run and plan.lane.kind != "replay":
        key = StreamKey(plan.job.tenant, plan.job.name, plan.stream)
        open_store(ctx).record_metrics(key, plan.plan_id, data_time(plan.window, plan.created_at), values)
