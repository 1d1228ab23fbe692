"""maintain: care of a job's tables, or of one table by name, while runs go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, DativoError
from dativo_provider.files import FileStore, open_files
from dativo_provider.lake.maintain import JOBS as TABLE_JOBS
from dativo_provider.lake.maintain import Work
from dativo_provider.lake.maintain import job as table_job
from dativo_provider.model.budget import Budget
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.maintenance import Amount, MaintenanceSpec, Upkeep
from dativo_provider.pipeline.history import fold, old_runs
from dativo_provider.pipeline.targets import open_target
from dativo_provider.pipeline.workplace import run_files, runs_folder

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from dativo_provider.lake.iceberg import IcebergTarget

__all__ = ["JOBS", "maintain", "maintain_table", "wanted"]

JOBS = {
    "inbox": "remove quarantined rows that are past their time, and the values of discarded ones",
    **TABLE_JOBS,
    "runs": "fold folders of old runs into one file, and files of the metadata store into fewer",
}
_LONGEST_RUN = timedelta(days=14)  # a record still `running` after that is of a run that was killed


@dataclass(frozen=True)
class _Place:
    """Where the tables are, and whose they are."""

    catalog: Catalog
    files: FileStore
    spec: MaintenanceSpec
    ctx: RunContext
    dry_run: bool
    only: Sequence[str]
    label: tuple[str, str, str] = ("", "", "")
    target: IcebergTarget | None = None  # None: of the deployment's catalog


def wanted(names: Collection[str]) -> tuple[str, ...]:
    """`names` (all when empty) in the order of `JOBS`. Raises `ConfigurationError` for a word that is none."""
    if unknown := sorted(set(names) - set(JOBS)):
        raise ConfigurationError(
            f"there is no maintenance job '{unknown[0]}'", remedy=f"use one or more of: {', '.join(JOBS)}"
        )
    return tuple(name for name in JOBS if not names or name in names)


def maintain(job: JobSpec, ctx: RunContext, only: Collection[str] = (), *, dry_run: bool = False) -> list[Upkeep]:
    """Every stream's table and inbox. A job that fails at one table is reported and the others go on.

    Raises what opening the catalog raises.
    """
    from dativo_provider.lake.iceberg import IcebergTarget

    names, target = wanted(only or job.maintenance.jobs), open_target(job, ctx)
    if not isinstance(target, IcebergTarget):
        return [Upkeep(names[0], job.dag_id, "files", outcome="skipped", note="this target keeps no tables")]
    place = _Place(target.catalog, target.files, job.maintenance, ctx, dry_run, names, target=target)
    found: list[Upkeep] = []
    for stream in job.streams:
        here = replace(place, label=(job.tenant, job.name, stream.name))
        if "inbox" in names:
            found.append(_guarded("inbox", f"{job.dag_id} {stream.name}", partial(_inbox, job, stream.name, here)))
        found += _tables(here, target.name_of(job, stream))
        if "runs" in names:
            found.append(_guarded("runs", f"{job.dag_id} {stream.name}", partial(_runs, job, stream.name, here)))
    return found


def maintain_table(
    name: str, ctx: RunContext, only: Collection[str] = (), *, dry_run: bool = False, spec: MaintenanceSpec
) -> list[Upkeep]:
    """One table of the deployment's catalog, whoever publishes into it."""
    from dativo_provider.lake.catalog import catalog_properties, open_catalog, warehouse_of

    files = open_files(warehouse_of(ctx.settings), catalog_properties(ctx.settings)[1])
    names = tuple(each for each in wanted(only) if each in TABLE_JOBS)
    found = list(_tables(_Place(open_catalog(ctx.settings), files, spec, ctx, dry_run, names), name))
    if not found:
        raise ConfigurationError(f"there is no table '{name}'", remedy="write <namespace>.<table>")
    return found


def _tables(place: _Place, name: str) -> Iterator[Upkeep]:
    """The table, its quarantine and its inbox log, as far as they exist."""
    from dativo_provider.lake.sweep import promised
    from dativo_provider.lake.table import find_table, inbox_log_name, quarantine_name

    main = find_table(place.catalog, name)
    if main is None:
        return
    yield from _table(place, name, ())
    forgetful = replace(place, spec=replace(place.spec, keep_snapshots=1))  # what left the inbox shall be gone
    for beside, keep in ((quarantine_name(name), tuple(promised(main, place.files))), (inbox_log_name(name), ())):
        if find_table(place.catalog, beside) is not None:
            yield from _table(forgetful, beside, keep)


def _table(place: _Place, name: str, keep: Collection[str]) -> Iterator[Upkeep]:
    for each in place.only:
        if each in TABLE_JOBS:
            place.ctx.check_cancelled()
            yield _guarded(each, name, partial(_one, place, each, name, keep))


def _one(place: _Place, each: str, name: str, keep: Collection[str]) -> Upkeep:
    work = Work(
        catalog=place.catalog,
        table=name,
        files=place.files,
        spec=place.spec,
        dry_run=place.dry_run,
        running=_running(place.ctx) if each == "orphans" else (),
        keep=keep,
        check_cancelled=place.ctx.check_cancelled,
        budget=Budget.of(place.ctx.settings),
        now=lambda: place.ctx.now().timestamp(),
    )
    if place.target:
        work = replace(work, pinned=place.target.pinned, stray=place.target.stray)
    done = table_job(each)(work)
    if done.facts and not place.dry_run:
        _remember(place, done)
    return done


def _guarded(each: str, where: str, work: Callable[[], Upkeep]) -> Upkeep:
    try:
        return work()
    except DativoError as problem:
        return Upkeep(each, where, "files", outcome="failed", note=str(problem).replace("\n", " "))


def _running(ctx: RunContext) -> frozenset[str]:
    """Plans that may still publish what they have staged, however long ago that was. Raises when the store, which
    alone knows, does not answer: then nothing is swept."""
    from dativo_provider.store import open_store

    since = (ctx.now() - _LONGEST_RUN).isoformat()
    return frozenset(run.plan_id for run in open_store(ctx).runs(status="running", since=since, limit=None))


def _remember(place: _Place, done: Upkeep) -> None:
    """Into the history of the stream; a quarantine and its log under names of their own."""
    from dativo_provider.store import StreamKey, open_store

    beside = next((word for word in ("quarantine", "quarantine_log") if done.table.endswith(f"_{word}")), "")
    facts = {name.replace("table_", f"{beside}_table_") if beside else name: n for name, n in done.facts.items()}
    at = place.ctx.now().isoformat()
    key = StreamKey(*place.label) if place.label[0] else StreamKey("", "", done.table)
    open_store(place.ctx).record_metrics(key, f"maintenance-{at}-{done.table}", at, facts)


def _inbox(job: JobSpec, stream: str, place: _Place) -> Upkeep:
    from dativo_provider.pipeline.inbox.expire import expire

    where = f"{job.dag_id} {stream}"
    [done] = expire(job, place.ctx, stream, dry_run=place.dry_run)
    if not done.rows and not done.lines:
        return Upkeep("inbox", where, "rows")
    note = f"rows expired or discarded: {done.rows}, notes about them: {done.lines}"
    return Upkeep("inbox", where, "rows", outcome="planned" if place.dry_run else "done", note=note)


def _runs(job: JobSpec, stream: str, place: _Place) -> Upkeep:
    root = runs_folder(job, stream, place.ctx)
    files = run_files(root, place.ctx)
    before = (place.ctx.now() - timedelta(days=place.spec.run_days)).timestamp()
    listed = files.list(root)
    old = old_runs(files, root, before, _running(place.ctx))
    amount = Amount(len(listed), sum(info.size for info in listed))
    if not old:
        return Upkeep("runs", f"{job.dag_id} {stream}", "files", amount, amount)
    if not place.dry_run:
        fold(files, old)
        _compact_store(place.ctx)
    gone = [info for inside in old.values() for info in inside]
    after = Amount(amount.files - len(gone) + 1, amount.bytes - sum(info.size for info in gone))
    outcome: Any = "planned" if place.dry_run else "done"
    return Upkeep("runs", f"{job.dag_id} {stream}", "files", amount, after, outcome, f"runs folded: {len(old)}")


def _compact_store(ctx: RunContext) -> None:
    from dativo_provider.store import connect
    from dativo_provider.store.lake import LakeStore
    from dativo_provider.store.open import store_settings

    with connect(store_settings(ctx.settings), ctx.settings.catalog.properties) as store:
        if isinstance(store, LakeStore):
            store.compact()
