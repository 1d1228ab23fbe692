"""Up to where rows are settled: below this point no open transaction can still add any (ARCHITECTURE 4.8).

For moments it is the start of the oldest transaction that writes or may yet write; `now()` of such a transaction is
never earlier. Numbers are drawn when a row is inserted, so for them those transactions must end that already have
inserted into the table. On a replica the primary's open transactions are known by number only, and they must end.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from dativo_provider.connectors.database.outlasting import outlasting
from dativo_provider.connectors.database.window import Settled
from dativo_provider.connectors.postgres.cursors import PostgresCursor
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.model.context import RunContext

__all__ = ["settled_moment", "writers_done"]

# A backend tells its start time a moment after having taken it; by then it has.
_SETTLING = 0.05
_HEARD = 1.0  # between drawing a number and writing the row that carries it
_CLOCK = "select clock_timestamp(), pg_is_in_recovery()"
_DATABASE = "(select oid from pg_catalog.pg_database where datname = current_database())"
_TRANSACTIONS = f"""
select a.pid, a.xact_start, a.backend_xid is not null, coalesce(a.query, '') = '<insufficient privilege>'
from pg_catalog.pg_stat_activity a
where a.datid = {_DATABASE} and a.pid <> pg_backend_pid()
  and coalesce(a.backend_type, '') not in ('walsender', 'autovacuum worker', 'parallel worker')
  and not (coalesce(left(a.application_name, 6), '') = 'dativo' and a.backend_xid is null)
"""
_PREPARED = "select gid, prepared from pg_catalog.pg_prepared_xacts where database = current_database()"
_REPLICA = """
select pg_last_xact_replay_timestamp(), pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn(),
       (select last_msg_send_time from pg_catalog.pg_stat_wal_receiver where status = 'streaming')
"""
# A replica's snapshot does not list the primary's open transactions, but knows the oldest of them.
_OPEN_ON_PRIMARY = """
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint
"""
# Who inserts locks the table as well as its indexes; who locks only indexes is vacuuming.
_WRITING = f"""
with recursive tables(oid) as (
  select %s::oid union select i.inhrelid from tables join pg_catalog.pg_inherits i on i.inhparent = tables.oid
)
select coalesce(l.virtualtransaction, ''), coalesce(l.pid, 0),
       coalesce(extract(epoch from clock_timestamp() - a.xact_start)::bigint, -1)
from pg_catalog.pg_locks l left join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'relation' and l.granted and l.mode = 'RowExclusiveLock' and l.database = {_DATABASE}
  and l.pid is distinct from pg_backend_pid()
  and case when %s then l.relation in (select oid from tables) else l.relation >= 16384
           and not exists (select from pg_catalog.pg_class c where c.oid = l.relation and c.relkind in ('i', 'I')) end
"""
# The clock on the wall, and what it will be set back to within the hour.
_WALL = """
select min(least(%s::timestamptz at time zone z, (date_trunc('minute', %s::timestamptz)
           + k * interval '1 minute') at time zone z))::text
from unnest(%s::text[]) z, generate_series(1, 61) k
"""
_SERVER_ZONE = "select reset_val from pg_catalog.pg_settings where name = 'TimeZone'"


def settled_moment(session: Session, cursor: PostgresCursor, options: Options, lag: int, ctx: RunContext) -> Settled:
    with session.transaction():
        now, replica = session.rows(_CLOCK)[0]
    limit, notes = _on_replica(session, now, lag, ctx) if replica else _on_primary(session, cursor, now, lag, ctx)
    if limit is not None and options.clock == "application":
        limit = min(limit, now - timedelta(seconds=lag))
    if limit is None:
        return Settled(None, notes)
    with session.transaction():
        return Settled(_in_column(session, cursor, options, limit), notes)


Limit = tuple[datetime | None, tuple[str, ...]]


def _on_primary(session: Session, cursor: PostgresCursor, now: datetime, lag: int, ctx: RunContext) -> Limit:
    time.sleep(_SETTLING)
    with session.transaction():
        transactions, prepared = session.rows(_TRANSACTIONS), session.rows(_PREPARED)
    behind = now - timedelta(seconds=lag)
    limits, notes = [now], []
    for pid, start, writes, _ in transactions:
        if start is None or start >= now:
            continue
        limits.append(start if writes else max(start, behind))  # after `lag`, one that has not written only reads
        if writes and start < behind:
            notes.append(f"held back to {start:%Y-%m-%d %H:%M:%S} UTC by the open transaction of pid {pid}")
    for gid, since in prepared:
        limits.append(since - timedelta(seconds=lag))
        notes.append(f"held back to {since:%Y-%m-%d %H:%M:%S} UTC by the prepared transaction '{gid}'")
    if not any(hidden for *_, hidden in transactions):
        return min(limits), tuple(notes)
    notes.append(f"other users' transactions are hidden: rows of the last {lag} s wait (grant pg_read_all_stats)")
    left = writers_done(session, cursor, lag, ctx)
    return (None, (*notes, *left)) if left else (min(*limits, behind), tuple(notes))


def _on_replica(session: Session, now: datetime, lag: int, ctx: RunContext) -> Limit:
    with session.transaction():
        replayed, caught_up, heard = session.rows(_REPLICA)[0]
    known = min(now, heard) if caught_up and heard else replayed
    if known is None:
        return None, ("the replica does not say how far it has come; rows wait",)
    left = _numbers_done(session, lag, ctx)
    return (None, left) if left else (min(now, known) - timedelta(seconds=lag), ())


def writers_done(session: Session, cursor: PostgresCursor, lag: int, ctx: RunContext) -> tuple[str, ...]:
    """Waits at most `lag` seconds until the transactions that now write to the table have ended.

    Empty, or who is still writing.
    """
    with session.transaction():
        _, replica = session.rows(_CLOCK)[0]
    if replica:
        return _numbers_done(session, lag, ctx)
    relation = cursor.relation
    exact = relation.kind in ("r", "p", "m")  # what stands behind a view or query is anybody's guess

    def writing() -> dict[Any, Any]:
        with session.transaction():
            return {row[0]: row for row in session.rows(_WRITING, (relation.oid, exact))}

    return tuple(_writer(pid, age, relation.label) for _, pid, age in outlasting(writing, lag, ctx))


def _writer(pid: int, age: int, table: str) -> str:
    who = f"pid {pid}" if pid else "a prepared transaction"
    since = f", open for {age} s" if age >= 0 else ""
    return f"held back: {who} has uncommitted rows in {table}{since}"


def _numbers_done(session: Session, lag: int, ctx: RunContext) -> tuple[str, ...]:
    """Waits for every transaction of the primary that the replica has heard of, once it has heard of all."""
    time.sleep(min(lag, _HEARD))
    newest: list[int] = []

    def open_now() -> dict[Any, Any]:
        with session.transaction():
            oldest, next_one = session.rows(_OPEN_ON_PRIMARY)[0]
        newest.append(next_one)
        return {"open": oldest} if oldest < newest[0] else {}

    left = outlasting(open_now, lag, ctx)
    return tuple(f"held back: transaction {number} is open on the primary" for number in left)


def _in_column(session: Session, cursor: PostgresCursor, options: Options, limit: datetime) -> str:
    """The instant as a value of the column."""
    if cursor.type == "timestamptz":
        return limit.isoformat(timespec="microseconds")
    zones = [options.timezone] if options.timezone else ["UTC", session.rows(_SERVER_ZONE)[0][0] or "UTC"]
    wall = datetime.fromisoformat(session.rows(_WALL, (limit, limit, zones))[0][0])
    return wall.date().isoformat() if cursor.type == "date" else wall.isoformat(timespec="microseconds")
