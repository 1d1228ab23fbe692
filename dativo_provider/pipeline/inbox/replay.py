"""replay: rows of the inbox take the way of every row again, and are in the table once, whatever is killed when.

1. Where every lane stands is noted; then the rows are chosen and written down.
2. An ordinary run reads them in the replay lane: contract, transforms, checks, verdict, publish.
3. Right before the main commit the log says which rows the replay claims. A claim counts once the lane's cursor
   names the replay, and the cursor moves in the commit that holds the rows: before it nothing happened, after it all.

So a run killed before the commit leaves claims that mean nothing, and one killed after it has nothing left to say.
Of two replays that chose the same rows the second is fenced, as is one beside which any other lane has published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from dativo_provider.errors import ConfigurationError, Fenced, Unsupported
from dativo_provider.lake.state import PREFIX, own_lanes
from dativo_provider.lake.table import find_table
from dativo_provider.model.inbox import OPEN, Entry, Selection
from dativo_provider.model.job import JobSpec, SourceSpec, TargetSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import ReplayRequest, RunRequest, new_id
from dativo_provider.pipeline.inbox.box import Box
from dativo_provider.pipeline.inbox.parts import parts_of
from dativo_provider.pipeline.inbox.view import entries
from dativo_provider.pipeline.run import StreamReport, run
from dativo_provider.quality.quarantine import MASKED
from dativo_provider.vocabulary import EntryStatus

__all__ = ["Replayed", "replay"]

_ATTEMPTS = 5


@dataclass
class Replayed:
    """`report` is the run's; None when no row was fit to be replayed. `skipped` rows stay as they are, by reason."""

    report: StreamReport | None = None
    chosen: int = 0
    skipped: dict[str, int] = field(default_factory=dict)


def replay(
    box: Box,
    selection: Selection,
    by: str,
    *,
    skip_checks: Sequence[str] = (),
    overwrite: bool = False,
    limit: int = 0,
) -> Replayed:
    """The oldest `limit` of the selected rows (0: all). Begins anew, with what is then still open, when it is fenced.
    The run's own error is in the report.

    Raises `Unsupported` for write modes in which a row cannot come by itself, `ConfigurationError`.
    """
    target = _target(box, overwrite)
    _check_alone(box)
    for attempt in range(1, _ATTEMPTS + 1):
        request = ReplayRequest("", "", by=by, skip_checks=tuple(skip_checks))
        done = _once(box, selection, target, request, attempt, limit)
        if done.report is None or not isinstance(done.report.error, Fenced):
            break
    return done


def _once(
    box: Box, selection: Selection, target: TargetSpec, request: ReplayRequest, attempt: int, limit: int
) -> Replayed:
    ident, skipped = new_id(box.ctx.now()), Counter[str]()
    lanes = box.target.lanes(box.job, box.spec)  # first: what comes after may have changed what is chosen now
    parts = parts_of(box.job, box.spec.name, ident, box.ctx)
    parts.remove_dead(box.ctx.now().timestamp())
    fit = _fit(entries(box, replace(selection, statuses=_open(selection))), skipped)
    chosen = parts.write(islice(fit, limit or None))
    if not chosen.rows:
        parts.remove()
        return Replayed(skipped=dict(skipped))
    request = replace(request, id=ident, folder=parts.folder, lanes=lanes)
    (report,) = run(_job(box, target, request), box.ctx, RunRequest(ident, attempt=attempt, replay=request)).streams
    if report.published and report.published.outcome != "waiting":
        parts.remove()
    return Replayed(report, chosen.rows, dict(skipped))


def _open(selection: Selection) -> tuple[EntryStatus, ...]:
    return tuple(status for status in selection.statuses if status in OPEN) or OPEN


def _fit(found: Iterator[Entry], skipped: Counter[str]) -> Iterator[Entry]:
    for entry in found:
        values = entry.values
        if values is None:
            skipped["no row yet: give it values with `fix` or `import`"] += 1
        elif MASKED in values.values():
            skipped["masked: set the columns whose values were not kept"] += 1
        else:
            yield entry


def _job(box: Box, target: TargetSpec, request: ReplayRequest) -> JobSpec:
    options = {
        "folder": request.folder,
        "replay": request.id,
        "columns": [field.name for field in box.target.columns(box.job, box.spec) or ()],
        "made": [transform.column for transform in box.job.transforms],
    }
    return replace(
        box.job, source=SourceSpec("quarantine", options=options), target=target, streams=(box.spec,), slices=1
    )


def _target(box: Box, overwrite: bool) -> TargetSpec:
    """How the rows are written. Raises `Unsupported`."""
    target, spec, where = box.job.target, box.spec, box.job.path or box.job.dag_id
    traits = TRAITS[target.mode]
    if traits.reads_all or traits.alone or spec.incremental.strategy == "full_refresh":
        raise Unsupported(
            f"'{spec.name}' is written anew by its runs (write mode {target.mode}, {spec.incremental.strategy}): "
            "a replayed row would go with the next one",
            where=where,
            remedy="correct the row at the source, or the rule in the contract, and run the job again",
        )
    if not traits.keyed:
        return target
    order = target.order_by or ("" if traits.history else _cursor(box))
    if not order and (traits.history or not overwrite):
        raise Unsupported(
            f"nothing says whether a row of '{spec.name}' in the inbox is newer than the one of its key in the table",
            where=where,
            remedy="name the column that does in target.order_by"
            + ("" if traits.history else ", or say that the replayed rows are the newer ones: --overwrite"),
        )
    return replace(target, order_by=order, delete_missing=False)


def _cursor(box: Box) -> str:
    name = box.spec.incremental.cursor_field
    return name if any(field.name == name for field in box.target.columns(box.job, box.spec) or ()) else ""


def _check_alone(box: Box) -> None:
    """Raises `ConfigurationError` when the quarantine may hold rows of another job under the name of this stream."""
    table = find_table(box.target.catalog, box.tables.main)
    if table is None:
        return
    own = set(own_lanes(table.properties, box.job, box.spec.name))
    others = [key for key in table.properties if key.startswith(PREFIX) and key not in own]
    if alike := [key for key in others if key.partition(".replay.")[0].endswith(f".{box.spec.name}")]:
        raise ConfigurationError(
            f"another job publishes a stream '{box.spec.name}' into {box.tables.main}, too "
            f"({alike[0].removeprefix(PREFIX)}): whose rows are in the inbox cannot be told",
            where=box.job.path or box.job.dag_id,
            remedy="give one of the streams another name",
        )
