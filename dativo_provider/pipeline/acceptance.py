"""accept: says that what a check against history found is the new level. Kept beside the runs, one file each, for good.

<warehouse>/_dativo/runs/<tenant>/<job>/<stream>/accepted/<id>.json
"""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.acceptance import Acceptance
from dativo_provider.model.checks import CheckResult
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import RunRecord, data_time, dump, load, new_id
from dativo_provider.pipeline.workplace import run_files, runs_folder
from dativo_provider.quality.metrics.measured import beyond_history

__all__ = ["accept", "accepted", "accepted_in"]

_FOLDER = "/accepted"


def accepted(job: JobSpec, stream: str, ctx: RunContext) -> list[Acceptance]:
    """What was accepted of a stream, oldest first."""
    return accepted_in(runs_folder(job, stream, ctx), ctx)


def accepted_in(runs: str, ctx: RunContext) -> list[Acceptance]:
    """The same, by the folder of the stream's runs."""
    folder = f"{runs}{_FOLDER}"
    files = run_files(folder, ctx)
    return [load(Acceptance, files.read(info.uri)) for info in files.list(folder)]


def accept(
    job: JobSpec, run: RunRecord, results: Sequence[CheckResult], by: str, reason: str, ctx: RunContext, check: str = ""
) -> list[Acceptance]:
    """Accepts the levels of every check of `run` that failed against history, or of `check` alone; what had been
    accepted of the run before is not accepted again.

    Raises `ConfigurationError` without a reason, and where there is no such level.
    """
    if not reason.strip():
        raise ConfigurationError("a new level is accepted for a reason", remedy="say why: --reason TEXT")
    wanted = _wanted(run, results, check)
    done = {(each.run, each.check_id) for each in accepted(job, run.stream, ctx)}
    made = [
        Acceptance(
            new_id(ctx.now()), run.plan_id, result.check_id, result.name, by, ctx.now().isoformat(), reason.strip(),
            data_time(run.window, run.started_at), levels,
        )
        for result, levels in wanted
        if (run.plan_id, result.check_id) not in done
    ]  # fmt: skip
    folder = f"{runs_folder(job, run.stream, ctx)}{_FOLDER}"
    files = run_files(folder, ctx)
    for each in made:
        files.write_new(f"{folder}/{each.id}.json", dump(each))
    return made


def _wanted(run: RunRecord, results: Sequence[CheckResult], check: str) -> list[tuple[CheckResult, dict[str, float]]]:
    failed = [result for result in results if check in ("", result.check_id, result.name)]
    if check and not failed:
        known = ", ".join(result.check_id for result in results)
        raise ConfigurationError(f"run {run.plan_id} has no check '{check}'", remedy=f"it has: {known}")
    found = [(result, levels) for result in failed if (levels := beyond_history(result))]
    if not found:
        raise ConfigurationError(
            f"nothing in run {run.plan_id} differs from its history" + (f" by check '{check}'" if check else ""),
            remedy="levels of failed anomaly and change checks are accepted; how far out single rows may lie is the "
            "check's `sigmas` and `tolerance`, and columns are accepted by a new version of the contract",
        )
    return found
