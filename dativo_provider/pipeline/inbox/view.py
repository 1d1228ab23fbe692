"""What is in the inbox, as of now: the quarantine joined with the log, in bounded memory.

An entry is known by the run that set it aside and its row id. Rows of one run that are alike in place and content
are one entry. Of entries of several runs with the same row id only the newest can be acted upon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.context import RunContext
from dativo_provider.model.inbox import Cause, Entry, InboxSummary, Selection
from dativo_provider.model.job import JobSpec
from dativo_provider.pipeline.inbox.box import Box, open_box, replays_of
from dativo_provider.pipeline.state import chosen

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["View", "causes", "entries", "summaries", "viewing"]

_BATCH = 4096
_LOG = ("action", "run", "row_id", "status", "fix", "by", "at", "note")
_NARROW = ("run", "row_id", "reasons", "contract_version", "quarantined_at", "expires_at")
_WIDE = ("source_reference", "kind", "raw")

_SAID = """create table said as
select run, row_id, bool_or(status = 'replayed') as replayed,
  arg_max({'status': status, 'fix': fix, 'by': "by", 'at': "at", 'note': note}, row("at", action)) as last,
  arg_max({'fix': fix}, row("at", action)) filter (status <> 'replayed') as kept
from log where status <> 'replayed' or action in (select id from replays) group by all"""
_NEWEST = """create table newest as
select row_id, arg_max(run, row(quarantined_at, run)) as run from seen group by row_id having count(distinct run) > 1"""
_ENTRIES = """create view entries as
select q.*, case when s.replayed then 'replayed' else coalesce(s.last.status, 'quarantined') end as status,
  s.kept.fix as fix, s.last.by as reviewed_by, s.last.at as reviewed_at, s.last.note as note,
  coalesce(n.run <> q.run, false) as superseded
from quarantine q left join said s using (run, row_id) left join newest n using (row_id)"""


class View:
    """The entries of one stream. `rows` may be asked once for each view that is opened."""

    def __init__(self, box: Box, database: duckdb.DuckDBPyConnection) -> None:
        self._box, self._db = box, database
        self._load("log", box.tables.lines(box.spec.name, _LOG))
        self._db.execute("create table replays (id varchar)")
        if done := sorted(replays_of(box.state())):
            self._db.execute("insert into replays select unnest(?)", [done])
        self._db.execute(_SAID)
        self._load("seen", box.tables.rows(box.spec.name, ("run", "row_id", "quarantined_at")))
        self._db.execute(_NEWEST)

    def _load(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Batch by batch: what DuckDB itself reads from raises errors of DuckDB's."""
        import pyarrow as pa

        self._db.register("shape", rows.schema.empty_table())
        self._db.execute(f"create table {name} as from shape")
        self._db.unregister("shape")
        for batch in rows:
            self._db.register("incoming", pa.Table.from_batches([batch]))
            self._db.execute(f"insert into {name} from incoming")
            self._db.unregister("incoming")

    def ask(self, sql: str, columns: Sequence[str], values: Sequence[Any] = ()) -> Iterator[pa.RecordBatch]:
        """`sql` over `entries`, whose quarantine has `columns`."""
        from dativo_provider.sql.sandbox import arrow_reader

        self._load("quarantine", self._box.tables.rows(self._box.spec.name, columns))
        self._db.execute(_ENTRIES)
        yield from arrow_reader(self._db.sql(sql, params=list(values)), _BATCH)


@contextmanager
def viewing(box: Box) -> Iterator[View]:
    from dativo_provider.sql.sandbox import connect

    with TemporaryFolder("inbox") as spill:
        database = connect(max(128, box.ctx.settings.memory_limit_mb // 4), box.ctx.settings.threads, spill)
        try:
            yield View(box, database)
        finally:
            database.close()


def summaries(job: JobSpec, ctx: RunContext, stream: str = "") -> list[InboxSummary]:
    """What each run left in the inbox, newest first."""
    found: list[InboxSummary] = []
    for spec in chosen(job, stream):
        box = open_box(job, spec.name, ctx)
        with viewing(box) as view:
            for row in _dicts(view.ask(_SUMMARY, _NARROW)):
                found.append(InboxSummary(job.dag_id, spec.name, box.tables.quarantine, **_told(row)))
    return found


_SUMMARY = """select run, min(quarantined_at) as quarantined_at, max(expires_at) as expires_at,
  any_value(contract_version) as contract_version,
  count(*) filter (status = 'quarantined' and not superseded) as quarantined,
  count(*) filter (status = 'reviewed' and not superseded) as reviewed,
  count(*) filter (status = 'replayed') as replayed, count(*) filter (status = 'deleted') as deleted,
  count(*) filter (status in ('quarantined', 'reviewed') and superseded) as superseded
from entries group by run order by quarantined_at desc, run desc"""


def causes(job: JobSpec, ctx: RunContext, stream: str = "", selection: Selection | None = None) -> list[Cause]:
    """Entries by the rule they broke, most first. `selection.where` is not looked at."""
    chosen_rows, found = selection or Selection(), list[Cause]()
    for spec in chosen(job, stream):
        with viewing(open_box(job, spec.name, ctx)) as view:
            condition, values = _condition(chosen_rows)
            rows = view.ask(_CAUSES.format(condition=condition), _NARROW, values)
            found += [Cause(spec.name, **_told(row)) for row in _dicts(rows)]
    return sorted(found, key=lambda cause: -cause.rows)


_CAUSES = """select reason, count(*) as rows, min(quarantined_at) as first_seen, max(quarantined_at) as last_seen,
  count(distinct run) as runs
from (select run, quarantined_at, unnest(reasons) as reason from entries where {condition})
group by reason order by rows desc, reason"""


def entries(box: Box, selection: Selection) -> Iterator[Entry]:
    """The selected rows, oldest first, superseded ones only when every status is asked for."""
    from dativo_provider.pipeline.inbox.expressions import filtered

    with viewing(box) as view:
        condition, values = _condition(selection)
        sql = f"select * from entries where {condition} order by quarantined_at, run, source_reference, row_id"
        found = (_entry(row) for row in _dicts(view.ask(sql, (*_NARROW, *_WIDE), values)))
        yield from filtered(box, found, selection.where) if selection.where else found


def _condition(selection: Selection) -> tuple[str, list[Any]]:
    """Bound values only: what a person types is never SQL here."""
    parts, values = ["true"], list[Any]()
    if selection.statuses:
        parts.append("status in (select unnest(?)) and not superseded")
        values.append(list(selection.statuses))
    if selection.run:
        parts.append("run = ?")
        values.append(selection.run)
    if selection.check:
        parts.append("list_contains(reasons, ?)")
        values.append(selection.check)
    if selection.rows:
        parts.append("(" + " or ".join("starts_with(row_id, ?)" for _ in selection.rows) + ")")
        values += selection.rows
    return " and ".join(parts), values


def _dicts(batches: Iterator[pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def _entry(row: dict[str, Any]) -> Entry:
    told = _told(row)
    raw, fix = told["raw"] or "", told["fix"]
    return Entry(
        run=told["run"],
        row_id=told["row_id"],
        source_reference=told["source_reference"] or "",
        kind=told["kind"],
        reasons=tuple(told["reasons"] or ()),
        raw=raw,
        original=orjson.loads(raw) if told["kind"] == "quarantined" else None,
        fix=orjson.loads(fix) if fix else {},
        status=told["status"],
        contract_version=told["contract_version"] or "",
        quarantined_at=told["quarantined_at"],
        expires_at=told["expires_at"] or "",
        reviewed_by=told["reviewed_by"] or "",
        reviewed_at=told["reviewed_at"] or "",
        note=told["note"] or "",
        superseded=told["superseded"],
    )
