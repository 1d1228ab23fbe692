"""One slice, read: the SELECT of its window and range, through one COPY or several that share a snapshot."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

import pyarrow as pa

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.database.condition import Conditions
from dativo_provider.connectors.postgres.copy import Copy
from dativo_provider.connectors.postgres.cursors import cursor_column
from dativo_provider.connectors.postgres.driver import psycopg2_module
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.postgres.parallel import merged
from dativo_provider.connectors.postgres.parse import Parser
from dativo_provider.connectors.postgres.relations import Relation, find_relation
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.sql import expression
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Slice

__all__ = ["condition_of", "extracted"]

condition_of = Conditions(expression, cursor_column).of

_BIG = 256 << 20  # bytes of a table from which on two COPYs pay
_TID_RANGES = 140000  # ranges of ctid are scanned as such since PostgreSQL 14
_PLACE = "select pg_is_in_recovery(), pg_relation_size(%s::oid), current_setting('block_size')::int"


class Sessions(Protocol):
    """`first` waits for a free connection, `more` has None when there is none."""

    def first(self) -> AbstractContextManager[Session]: ...
    def more(self) -> AbstractContextManager[Session | None]: ...


def extracted(
    stream: StreamSpec, piece: Slice, options: Options, sessions: Sessions, block: int, tally: Tally
) -> Generator[Batch, None, None]:
    """Parses blocks of `block` bytes.

    Raises `SourceChanged` when a planned column has gone, `Unrepresentable`, and psycopg2's errors."""
    with ExitStack() as opened:
        session = opened.enter_context(sessions.first())
        session.begin()
        relation = find_relation(session, stream)
        columns = relation.only(tuple(piece.spec["columns"]))
        parser = Parser(columns, piece.as_text, relation.label)
        names = ", ".join(column.selected(column.name in parser.as_text) for column in columns)
        select = f"select {names} from {relation.source} where {condition_of(stream, piece, relation)}"
        asked = _threads(session, relation, piece, options)
        more = [opened.enter_context(sessions.more()) for _ in range(asked - 1)]
        others = [other for other in more if other is not None]
        others = others if _share_snapshot(session, others) else []
        parts = _parts(session, relation, 1 + len(others))
        selects = [f"{select} and {part}" for part in parts] if others else [select]
        tally.detail["threads"] = len(selects)
        for data in _read([session, *others], selects, parser, options, block):
            yield Batch(stream.name, data, relation.label)


def _threads(session: Session, relation: Relation, piece: Slice, options: Options) -> int:
    """How many COPYs at once pay: several for a whole table that is big."""
    window = piece.spec.get("window") or {}
    whole = not piece.spec.get("range") and window.get("lo") is None
    old = session.connection.server_version < _TID_RANGES
    if options.threads == 1 or not (whole and relation.plain) or old:
        return 1
    replica, size, page = session.rows(_PLACE, (relation.oid,))[0]
    threads = min(options.threads or (2 if size >= _BIG else 1), size // page)
    return 1 if replica else max(1, int(threads))


def _parts(session: Session, relation: Relation, threads: int) -> list[str]:
    """Ranges of pages; the last one is open, for pages still to come."""
    if threads == 1:
        return [""]
    _, size, page = session.rows(_PLACE, (relation.oid,))[0]
    edges = [size // page * part // threads for part in range(1, threads)]
    below = [f"ctid < '({edge},0)'::tid" for edge in edges]
    above = [f"ctid >= '({edge},0)'::tid" for edge in edges]
    middle = [f"{lo} and {hi}" for lo, hi in zip(above, below[1:], strict=False)]
    return [below[0], *middle, above[-1]]


def _share_snapshot(session: Session, others: list[Session]) -> bool:
    """False when the others cannot join: a pooler may have led them to another server."""
    if not others:
        return False
    snapshot = session.rows("select pg_export_snapshot()")[0][0]
    try:
        for other in others:
            other.begin(snapshot)
    except (psycopg2_module().DataError, psycopg2_module().ProgrammingError):  # no such snapshot there
        return False
    return True


def _read(
    sessions: list[Session], selects: list[str], parser: Parser, options: Options, block: int
) -> Iterator[pa.RecordBatch]:
    if len(sessions) == 1:
        return _copied(sessions[0], selects[0], parser, options, block)
    works = [
        _copied(session, select, parser, options, block) for session, select in zip(sessions, selects, strict=True)
    ]
    return merged(works, [session.cancel for session in sessions])


def _copied(session: Session, select: str, parser: Parser, options: Options, size: int) -> Iterator[pa.RecordBatch]:
    rows = 0
    with Copy(session, select, size) as copy:
        for block in copy.blocks():
            data = parser.batch(block)
            rows += data.num_rows
            for start in range(0, data.num_rows, options.batch_size or data.num_rows):
                yield data.slice(start, options.batch_size or data.num_rows)
        copy.check(rows)
