"""Up to where rows are settled: below this point no open transaction can still add any (ARCHITECTURE 4.8).

`now()` is the start of its statement, so a row may carry a moment as old as the oldest statement that runs, and become
visible when its transaction ends. Both ages are whole seconds. Numbers are drawn when a row is inserted, so for them
those transactions must end that have changed rows. Who they are is shown with the privilege PROCESS alone.
https://mariadb.com/docs/server/reference/system-tables/information-schema/information-schema-tables/information-schema-innodb-tables/information-schema-innodb_trx-table
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dativo_provider.connectors.database.outlasting import outlasting
from dativo_provider.connectors.database.window import Settled
from dativo_provider.connectors.mysql.cursors import MysqlCursor
from dativo_provider.connectors.mysql.options import Options
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.connectors.mysql.sql import literal
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext

__all__ = ["settled_moment", "writers_done"]

_NOW = "select utc_timestamp(6), @@global.read_only"
_PROCESS = """
select count(*) from information_schema.user_privileges
where privilege_type = 'PROCESS' and grantee = concat('''', replace(current_user(), '@', '''@'''), '''')
"""
# Ages against our own transaction's start: `trx_started` is written in the zone of the server's machine.
_TRANSACTIONS = """
select t.trx_mysql_thread_id, timestampdiff(second, t.trx_started, own.trx_started), t.trx_rows_modified > 0, t.trx_id
from information_schema.innodb_trx t,
     (select trx_started from information_schema.innodb_trx where trx_mysql_thread_id = connection_id()) own
where t.trx_mysql_thread_id <> connection_id()
"""
_STATEMENTS = """
select p.id, p.time from information_schema.processlist p
where p.command in ('Query', 'Execute') and p.id <> connection_id() and p.time is not null and p.state is not null
"""
_WALL = "select convert_tz({moment}, '+00:00', @@global.time_zone)"
_STEP = timedelta(minutes=5)


def settled_moment(session: Session, cursor: MysqlCursor, options: Options, lag: int) -> Settled:
    with session.transaction():
        text, replica = session.rows(_NOW)[0]
    now = datetime.fromisoformat(text).replace(tzinfo=UTC)
    limit, notes = _on_replica(session, now, lag) if _is_on(replica) else _on_primary(session, now, lag)
    if options.clock == "application":
        limit = min(limit, now - timedelta(seconds=lag))
    return Settled(_in_column(session, cursor, options, limit), notes + _snapshot_note(cursor))


Limit = tuple[datetime, tuple[str, ...]]


def _on_primary(session: Session, now: datetime, lag: int) -> Limit:
    behind = now - timedelta(seconds=lag)
    if not _sees_others(session):
        return behind, (f"other users' transactions are hidden: rows of the last {lag} s wait (grant process)",)
    with session.transaction():
        transactions, statements = session.rows(_TRANSACTIONS), session.rows(_STATEMENTS)
    limits, notes = [now], []
    for thread, age, writes, _ in transactions:
        start = _ago(now, age)
        limits.append(start if int(writes) else max(start, behind))  # after `lag`, one that has not written only reads
        if int(writes) and start < behind:
            notes.append(f"held back to {start:%Y-%m-%d %H:%M:%S} UTC by the open transaction of thread {thread}")
    limits += [max(_ago(now, age), behind) for _, age in statements]
    return min(limits), tuple(notes)


def _on_replica(session: Session, now: datetime, lag: int) -> Limit:
    """Behind what the replica says that it is behind; twice the lag where it does not say."""
    seconds = _replica_lag(session)
    if seconds is None:
        note = f"the replica does not say how far it is behind: rows of the last {2 * lag} s wait"
        return now - timedelta(seconds=2 * lag), (note,)
    return now - timedelta(seconds=seconds + lag), ()


def _replica_lag(session: Session) -> int | None:
    for statement in ("show replica status", "show slave status"):
        found = session.named(statement)
        if found is not None:
            lags = [row.get("Seconds_Behind_Source", row.get("Seconds_Behind_Master")) for row in found]
            return int(lags[0]) if lags and lags[0] is not None else None
    return None


def writers_done(session: Session, lag: int, ctx: RunContext) -> tuple[str, ...]:
    """Waits at most `lag` seconds until the transactions that have changed rows by now have ended.

    Empty, or who is still open. Where they are hidden nothing can be waited for: the lag passes.
    """
    if not _sees_others(session):
        ctx.cancelled.wait(lag)
        ctx.check_cancelled()
        return ()

    def writing() -> dict[Any, Any]:
        with session.transaction():
            return {row[3]: row for row in session.rows(_TRANSACTIONS) if int(row[2])}

    left = outlasting(writing, lag, ctx)
    return tuple(f"held back: thread {row[0]} has uncommitted rows, open for {row[1]} s" for row in left)


def _sees_others(session: Session) -> bool:
    with session.transaction():
        return int(session.rows(_PROCESS)[0][0]) > 0


def _snapshot_note(cursor: MysqlCursor) -> tuple[str, ...]:
    relation = cursor.relation
    if relation.is_snapshot:
        return ()
    return (f"{relation.label} is a table of {relation.engine}: rows that change while it is read may be seen twice",)


def _ago(now: datetime, age: Any) -> datetime:
    """Ages are cut to whole seconds, so it may be one more."""
    return now - timedelta(seconds=max(0, int(age or 0)) + 1)


def _is_on(value: Any) -> bool:
    return str(value).upper() not in ("0", "OFF")


def _in_column(session: Session, cursor: MysqlCursor, options: Options, limit: datetime) -> str:
    """The instant as a value of the column, cut to its digits: the step it stands in is not over yet."""
    step = cursor.step()
    if cursor.type == "timestamptz":
        return _cut(limit, step).isoformat(timespec="microseconds")
    wall = _cut(_wall(session, options, limit), step)
    return wall.date().isoformat() if cursor.type == "date" else wall.isoformat(timespec="microseconds")


def _cut(moment: datetime, step: timedelta) -> datetime:
    return moment - (moment - datetime.min.replace(tzinfo=moment.tzinfo)) % step


def _wall(session: Session, options: Options, limit: datetime) -> datetime:
    """The clock on the wall, and what it will be set back to within the hour."""
    first = limit.replace(second=0, microsecond=0) - timedelta(minutes=limit.minute % 5)
    moments = [limit, *(first + _STEP * count for count in range(1, 14))]
    if options.timezone:
        zone = _zone(options.timezone)
        return min(moment.astimezone(zone).replace(tzinfo=None) for moment in moments)
    plain = [moment.replace(tzinfo=None) for moment in moments]
    shown = ", ".join(f"({_WALL.format(moment=literal(f'{moment:%Y-%m-%d %H:%M:%S.%f}'))})" for moment in plain)
    server = [datetime.fromisoformat(text) for text in session.rows(f"select {shown}")[0] if text]
    return min(plain[0], *server) if server else plain[0]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError):
        raise ConfigurationError(
            f"option timezone: '{name}' is no zone", remedy="write one like Europe/Berlin"
        ) from None
