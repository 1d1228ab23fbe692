"""Up to where rows are settled: below this point no open transaction can still add any (ARCHITECTURE 4.8).

`now()` is the start of its statement, so a row may carry a moment as old as the oldest statement that runs, and become
visible when its transaction ends. Both ages are whole seconds. Numbers are drawn when a row is inserted, so for them
those transactions must end that have changed rows. Who they are is shown with the privilege PROCESS alone.
https://mariadb.com/docs/server/reference/system-tables/information-schema/information-schema-tables/information-schema-innodb-tables/information-schema-innodb_trx-table
"""

from __future__ import annotations

from dataclasses import dataclass
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
_TRANSACTIONS = """
select t.trx_mysql_thread_id, t.trx_started, t.trx_rows_modified > 0, t.trx_id,
       t.trx_mysql_thread_id = connection_id()
from information_schema.innodb_trx t
"""
_STATEMENTS = """
select p.id, p.time from information_schema.processlist p
where p.command in ('Query', 'Execute') and p.id <> connection_id() and p.time is not null and p.state is not null
"""
_WALL = "select convert_tz({moment}, '+00:00', @@global.time_zone)"
_STEP = timedelta(minutes=5)
# The server shows the list of transactions as it was when anybody last asked for it, for a tenth of a second.
# https://dev.mysql.com/doc/refman/8.4/en/innodb-information-schema-internal-data.html
_STALE, _LOOKS = 0.15, 20
_STARVED = "held back: somebody asks for innodb_trx so often that the server never renews it; ask less often"
_HOUR = 3600


@dataclass(frozen=True)
class _Replica:
    """How far a replica is behind, in seconds; None when replication does not run."""

    seconds: int | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Open:
    """An open transaction of another connection."""

    thread: str
    seconds: float
    writes: bool
    id: str


def settled_moment(session: Session, cursor: MysqlCursor, options: Options, lag: int, ctx: RunContext) -> Settled:
    with session.transaction():
        text = session.rows(_NOW)[0][0]
    now = datetime.fromisoformat(text).replace(tzinfo=UTC)
    replica = _replica(session, lag)
    if replica and replica.seconds is None:
        return Settled(None, replica.notes)
    limit, notes = _on_replica(replica, now, lag) if replica else _on_primary(session, now, lag, ctx)
    if limit is None:
        return Settled(None, notes)
    if options.clock == "application":
        limit = min(limit, now - timedelta(seconds=lag))
    return Settled(_in_column(session, cursor, options, limit), notes + _snapshot_note(cursor))


Limit = tuple[datetime | None, tuple[str, ...]]


def _on_primary(session: Session, now: datetime, lag: int, ctx: RunContext) -> Limit:
    behind = now - timedelta(seconds=lag)
    if not _sees_others(session):
        return behind, (f"other users' transactions are hidden: rows of the last {lag} s wait (grant process)",)
    with session.transaction():
        statements = session.rows(_STATEMENTS)  # first: what has ended by the next look has left a transaction
    transactions = _transactions(session, ctx)
    if transactions is None:
        return None, (_STARVED,)
    limits, notes = [now], []
    for each in transactions:
        start = _ago(now, each.seconds)
        limits.append(start if each.writes else max(start, behind))  # after `lag`, one that has not written only reads
        if each.writes and start < behind:
            notes.append(f"held back to {start:%Y-%m-%d %H:%M:%S} UTC by the open transaction of thread {each.thread}")
    limits += [max(_ago(now, float(age)), behind) for _, age in statements]
    return min(limits), tuple(notes)


def _transactions(session: Session, ctx: RunContext) -> list[_Open] | None:
    """Those of others, by a list that is new enough to show our own; None when none was.

    Ages are against our own: `trx_started` is written in the zone of the server's machine, whose clock may have been
    set back meanwhile.
    """
    for _ in range(_LOOKS):
        with session.transaction():
            rows = session.rows(_TRANSACTIONS)
        own = next((datetime.fromisoformat(row[1]) for row in rows if int(row[4])), None)
        if own is not None:
            others = [row for row in rows if not int(row[4])]
            ages = [(own - datetime.fromisoformat(row[1])).total_seconds() for row in others]
            return [
                _Open(str(row[0]), age if age >= 0 else age + _HOUR, bool(int(row[2])), str(row[3]))
                for row, age in zip(others, ages, strict=True)
            ]
        ctx.cancelled.wait(_STALE)
        ctx.check_cancelled()
    return None


def _on_replica(replica: _Replica, now: datetime, lag: int) -> Limit:
    return now - timedelta(seconds=(replica.seconds or 0) + lag), replica.notes


def _replica(session: Session, lag: int) -> _Replica | None:
    """None for a primary. Who only reads and does not say how far it is behind waits for twice the lag."""
    with session.transaction():
        reads_only = _is_on(session.rows(_NOW)[0][1])
    answers = (session.named(statement) for statement in ("show replica status", "show slave status"))
    channels = next((found for found in answers if found is not None), [])
    lags = [row.get("Seconds_Behind_Source", row.get("Seconds_Behind_Master")) for row in channels]
    known = [int(each) for each in lags if each is not None]
    if len(known) < len(lags):
        return _Replica(None, ("replication is stopped, so nothing is settled; rows wait",))
    if known:
        return _Replica(max(known))
    note = f"the replica does not say how far it is behind: rows of the last {2 * lag} s wait"
    return _Replica(lag, (note,)) if reads_only else None


def writers_done(session: Session, lag: int, ctx: RunContext) -> tuple[str, ...]:
    """Waits at most `lag` seconds until the transactions that have changed rows by now have ended; on a replica until
    it has heard of them. Empty, or who is still open. Where they are hidden the lag passes.
    """
    replica = _replica(session, lag)
    if replica and (replica.seconds is None or replica.seconds > lag):
        return replica.notes or (f"held back: the replica is {replica.seconds} s behind",)
    if replica or not _sees_others(session):
        ctx.cancelled.wait(lag + (replica.seconds or 0) if replica else lag)
        ctx.check_cancelled()
        return ()

    def writing() -> dict[Any, Any]:
        found = _transactions(session, ctx)
        return {"": None} if found is None else {each.id: each for each in found if each.writes}

    return tuple(_writer(each) for each in outlasting(writing, lag, ctx))


def _writer(found: _Open | None) -> str:
    if found is None:
        return _STARVED
    return f"held back: thread {found.thread} has uncommitted rows, open for {found.seconds:.0f} s"


def _sees_others(session: Session) -> bool:
    with session.transaction():
        return int(session.rows(_PROCESS)[0][0]) > 0


def _snapshot_note(cursor: MysqlCursor) -> tuple[str, ...]:
    relation = cursor.relation
    if relation.is_snapshot:
        return ()
    return (f"{relation.label} is a table of {relation.engine}: rows that change while it is read may be seen twice",)


def _ago(now: datetime, seconds: float) -> datetime:
    """Ages are cut to whole seconds, so it may be one more."""
    return now - timedelta(seconds=max(0.0, seconds) + 1)


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
