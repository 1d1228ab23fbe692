"""One slice, read: the SELECT of its window and range, through one COPY or several that share a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pyarrow as pa

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.postgres.copy import Copy
from dativo_provider.connectors.postgres.cursors import cursor_column
from dativo_provider.connectors.postgres.driver import psycopg2_module
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.postgres.parallel import merged
from dativo_provider.connectors.postgres.parse import Parser
from dativo_provider.connectors.postgres.relations import Relation, find_relation
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.slices import KeyRange
from dativo_provider.connectors.postgres.sql import expression
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Slice

__all__ = ["extracted"]

_BIG = 256 << 20  # bytes of a table from which on two COPYs pay
_TID_RANGES = 140000  # ranges of ctid are scanned as such since PostgreSQL 14
_PLACE = "select pg_is_in_recovery(), pg_relation_size(%s::oid), current_setting('block_size')::int"

Sessions = Callable[[], AbstractContextManager[Session]]


def extracted(
    stream: StreamSpec, piece: Slice, options: Options, sessions: Sessions, tally: Tally
) -> Generator[Batch, None, None]:
    """Raises `SourceChanged` when a planned column has gone, `Unrepresentable`, and psycopg2's errors."""
    with ExitStack() as opened:
        session = opened.enter_context(sessions())
        session.begin()
        relation = find_relation(session, stream)
        columns = relation.only(tuple(piece.spec["columns"]))
        parser = Parser(columns, piece.as_text, relation.label)
        names = ", ".join(column.selected(column.name in parser.as_text) for column in columns)
        select = f"select {names} from {relation.source} where {_condition(stream, piece, relation)}"
        parts = _parts(session, relation, piece, options)
        others = [opened.enter_context(sessions()) for _ in parts[1:]]
        others = others if _share_snapshot(session, others) else []
        selects = [f"{select} and {part}" for part in parts] if others else [select]
        tally.detail["threads"] = len(selects)
        for data in _read([session, *others], selects, parser, options):
            yield Batch(stream.name, data, relation.label)


def _condition(stream: StreamSpec, piece: Slice, relation: Relation) -> str:
    conditions = [expression(stream.where)] if stream.where else []
    window: dict[str, Any] = piece.spec.get("window") or {}
    if window:
        cursor = cursor_column(relation, window["column"])
        conditions.append(cursor.condition(window["lo"], window["hi"], window["unplaced"]))
    if piece.spec.get("range"):
        conditions.append(f"({KeyRange(**piece.spec['range']).condition()})")
    return " and ".join(conditions) or "true"


def _parts(session: Session, relation: Relation, piece: Slice, options: Options) -> list[str]:
    """Ranges of pages for a read of the whole table; the last one is open, for pages still to come."""
    window = piece.spec.get("window") or {}
    whole = not piece.spec.get("range") and window.get("lo") is None
    old = session.connection.server_version < _TID_RANGES
    if options.threads == 1 or not (whole and relation.plain) or old:
        return [""]
    replica, size, page = session.rows(_PLACE, (relation.oid,))[0]
    threads = min(options.threads or (2 if size >= _BIG else 1), size // page)
    if replica or threads < 2:
        return [""]
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


def _read(sessions: list[Session], selects: list[str], parser: Parser, options: Options) -> Iterator[pa.RecordBatch]:
    if len(sessions) == 1:
        return _copied(sessions[0], selects[0], parser, options)
    works = [_copied(session, select, parser, options) for session, select in zip(sessions, selects, strict=True)]
    return merged(works, [session.cancel for session in sessions])


def _copied(session: Session, select: str, parser: Parser, options: Options) -> Iterator[pa.RecordBatch]:
    rows = 0
    with Copy(session, select) as copy:
        for block in copy.blocks():
            data = parser.batch(block)
            rows += data.num_rows
            for start in range(0, data.num_rows, options.batch_size or data.num_rows):
                yield data.slice(start, options.batch_size or data.num_rows)
        copy.check(rows)
