"""The store in SQLite or PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, and_, case, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from dativo_provider.model.checks import CheckResult
from dativo_provider.model.run import RunRecord, dump, load
from dativo_provider.store.base import MetricPoint, QuarantineEntry, Store, StreamKey
from dativo_provider.store.engine import open_engine, reading, store_url, writing
from dativo_provider.store.events import finite
from dativo_provider.store.revisions import ensure_current
from dativo_provider.store.schema import COUNTS, QUARANTINE, RESULTS, RUNS, VALUES
from dativo_provider.store.when import iso, moment
from dativo_provider.vocabulary import RunStatus

__all__ = ["SqlStore"]

Row = dict[str, Any]


class SqlStore(Store):
    def __init__(self, uri: str) -> None:
        """Connects, and upgrades an SQLite file. Raises `ConfigurationError` for tables of another version."""
        self._engine: Engine = open_engine(store_url(uri))
        ensure_current(self._engine)

    def save_run(self, run: RunRecord, at: str) -> None:
        row = _run_row(run, at)
        statement = self._insert(RUNS, row)
        new: Any = statement.excluded
        old = RUNS.c
        published = case((new.status == "published", 1), else_=0) - case((old.status == "published", 1), else_=0)
        wins = or_(published > 0, and_(published == 0, new.recorded_at >= old.recorded_at))
        with writing(self._engine) as connection:
            connection.execute(_upserting(statement, RUNS, wins))

    def save_results(self, plan_id: str, results: Sequence[CheckResult], at: str) -> None:
        mine = RESULTS.c.plan_id == plan_id
        with writing(self._engine) as connection:
            self._lock(connection, plan_id)
            newer = select(RESULTS.c.plan_id).where(mine, RESULTS.c.recorded_at > moment(at)).limit(1)
            if connection.execute(newer).first():
                return
            connection.execute(delete(RESULTS).where(mine))
            if results:
                rows = [_result_row(plan_id, position, result, at) for position, result in enumerate(results)]
                connection.execute(RESULTS.insert(), rows)

    def _lock(self, connection: Connection, plan_id: str) -> None:
        """Two audits of one plan take turns; SQLite's writers do so anyway."""
        if self._engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(plan_id))))

    def record_metrics(self, stream: StreamKey, plan_id: str, at: str, values: Mapping[str, float]) -> None:
        shared = {**stream._asdict(), "plan_id": plan_id, "at": moment(at)}
        rows = [{**shared, "name": name, "value": value} for name, value in finite(values).items()]
        self._upsert(VALUES, rows)

    def record_quarantine(self, entry: QuarantineEntry) -> None:
        row = {
            **entry.stream._asdict(),
            "plan_id": entry.plan_id,
            "table_name": entry.table,
            "at": moment(entry.at),
            "row_count": entry.rows,
            "reasons": json.dumps(dict(entry.reasons)),
            "expires_at": moment(entry.expires_at) if entry.expires_at else None,
        }
        self._upsert(QUARANTINE, [row])

    def _upsert(self, table: Table, rows: Iterable[Row]) -> None:
        with writing(self._engine) as connection:
            for row in rows:
                connection.execute(_upserting(self._insert(table, row), table))

    def _insert(self, table: Table, row: Row) -> sqlite.Insert | postgresql.Insert:
        insert: Any = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        statement: sqlite.Insert | postgresql.Insert = insert(table).values(row)
        return statement

    def get(self, plan_id: str) -> RunRecord | None:
        found = self._rows(select(RUNS.c.record).where(RUNS.c.plan_id == plan_id))
        return load(RunRecord, found[0].record) if found else None

    def runs(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        status: RunStatus | None = None,
        limit: int | None = 20,
        since: str | None = None,
    ) -> list[RunRecord]:
        query = _of_stream(select(RUNS.c.record), RUNS, tenant, job, stream)
        query = query.where(RUNS.c.status == status) if status else query
        query = query.where(RUNS.c.started_at >= moment(since)) if since else query
        newest = (RUNS.c.started_at.desc(), RUNS.c.plan_id.desc())
        return [load(RunRecord, row.record) for row in self._rows(query.order_by(*newest).limit(limit))]

    def results(self, plan_id: str) -> tuple[CheckResult, ...]:
        query = select(RESULTS.c.record).where(RESULTS.c.plan_id == plan_id).order_by(RESULTS.c.position)
        return tuple(load(CheckResult, row.record) for row in self._rows(query))

    def history(
        self, stream: StreamKey, name: str, limit: int | None = 30, since: str | None = None
    ) -> list[MetricPoint]:
        query = _of_stream(select(VALUES.c.at, VALUES.c.value, VALUES.c.plan_id), VALUES, *stream)
        query = query.where(VALUES.c.at >= moment(since)) if since else query
        newest = (VALUES.c.at.desc(), VALUES.c.plan_id.desc())
        rows = self._rows(query.where(VALUES.c.name == name).order_by(*newest).limit(limit))
        return [MetricPoint(iso(row.at), row.value, row.plan_id) for row in rows]

    def metrics(self, stream: StreamKey, plan_id: str) -> Mapping[str, float]:
        query = _of_stream(select(VALUES.c.name, VALUES.c.value), VALUES, *stream)
        return {row.name: row.value for row in self._rows(query.where(VALUES.c.plan_id == plan_id))}

    def quarantine(
        self,
        tenant: str | None = None,
        job: str | None = None,
        stream: str | None = None,
        expired_at: str | None = None,
        limit: int | None = 20,
    ) -> list[QuarantineEntry]:
        query = _of_stream(select(QUARANTINE), QUARANTINE, tenant, job, stream)
        query = query.where(QUARANTINE.c.expires_at <= moment(expired_at)) if expired_at else query
        newest = (QUARANTINE.c.at.desc(), QUARANTINE.c.plan_id.desc())
        return [_entry(row) for row in self._rows(query.order_by(*newest).limit(limit))]

    def _rows(self, query: Select[Any]) -> Sequence[Any]:
        with reading(self._engine) as connection:
            return connection.execute(query).all()

    def close(self) -> None:
        self._engine.dispose()


def _upserting(
    statement: sqlite.Insert | postgresql.Insert, table: Table, where: ColumnElement[bool] | None = None
) -> sqlite.Insert | postgresql.Insert:
    keys = [column.name for column in table.primary_key]
    values = {column.name: statement.excluded[column.name] for column in table.c if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=values, where=where)


def _of_stream(
    query: Select[Any], table: Table, tenant: str | None, job: str | None, stream: str | None
) -> Select[Any]:
    wanted = {"tenant": tenant, "job": job, "stream": stream}
    equal: list[ColumnElement[bool]] = [table.c[name] == value for name, value in wanted.items() if value]
    return query.where(*equal)


def _run_row(run: RunRecord, at: str) -> Row:
    return {
        "plan_id": run.plan_id,
        "run_id": run.run_id,
        "tenant": run.tenant,
        "job": run.job,
        "stream": run.stream,
        "status": run.status,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at) if run.finished_at else None,
        "table_name": run.table,
        "snapshot_id": run.snapshot_id,
        **{name: getattr(run.books, name) for name in COUNTS},
        "contract_version": run.contract_version,
        "recorded_at": moment(at),
        "record": dump(run).decode(),
    }


def _result_row(plan_id: str, position: int, result: CheckResult, at: str) -> Row:
    shown = ("check_id", "name", "outcome", "evaluated_by", "severity", "evaluated", "failed")
    row = {name: getattr(result, name) for name in shown}
    return {"plan_id": plan_id, "position": position, **row, "recorded_at": moment(at), "record": dump(result).decode()}


def _entry(row: Any) -> QuarantineEntry:
    return QuarantineEntry(
        plan_id=row.plan_id,
        stream=StreamKey(row.tenant, row.job, row.stream),
        table=row.table_name,
        at=iso(row.at),
        rows=row.row_count,
        reasons=json.loads(row.reasons),
        expires_at=iso(row.expires_at) if row.expires_at else "",
    )
