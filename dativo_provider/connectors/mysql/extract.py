"""One slice, read: the SELECT of its window and range."""

from __future__ import annotations

from collections.abc import Generator

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.database.condition import Conditions
from dativo_provider.connectors.mysql.cursors import cursor_column
from dativo_provider.connectors.mysql.options import Options
from dativo_provider.connectors.mysql.parse import Parser
from dativo_provider.connectors.mysql.relations import find_relation
from dativo_provider.connectors.mysql.rows import Rows
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.connectors.mysql.sql import expression
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Slice

__all__ = ["condition_of", "extracted"]

condition_of = Conditions(expression, cursor_column).of


def extracted(
    stream: StreamSpec, piece: Slice, options: Options, session: Session, block: int, tally: Tally
) -> Generator[Batch, None, None]:
    """Parses blocks of about `block` bytes.

    Raises `SourceChanged` when a planned column has gone, `Unrepresentable`, and PyMySQL's errors."""
    with session.transaction():
        relation = find_relation(session, stream)
        columns = relation.only(tuple(piece.spec["columns"]))
        as_text = set(piece.as_text)
        if options.zero_dates == "text":
            as_text |= {column.name for column in columns if column.is_dated}
        parser = Parser(columns, as_text, relation.label, options.zero_dates)
        names = ", ".join(column.selected() for column in columns)
        select = f"select {names} from {relation.source} where {condition_of(stream, piece, relation)}"
        if not relation.is_snapshot:
            tally.detail["snapshot"] = f"none: {relation.engine}"
        with Rows(session, select, block, options.batch_size) as rows:
            for each in rows.blocks():
                data = parser.batch(each)
                most = options.batch_size or data.num_rows  # the server's packets bring a few more at once
                for at in range(0, data.num_rows, most):
                    yield Batch(stream.name, data.slice(at, most), relation.label)
