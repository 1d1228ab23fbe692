"""What `information_schema` says about tables, views and queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dativo_provider.connectors.database import relation as database
from dativo_provider.connectors.database.relation import no_relation
from dativo_provider.connectors.mysql.session import Session
from dativo_provider.connectors.mysql.sql import identifier, literal, name_parts, subselect
from dativo_provider.connectors.mysql.types import Column, column_of, described_column
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import StreamSpec

__all__ = ["Relation", "every_relation", "find_relation"]

_TABLES = """
select t.table_schema, t.table_name, t.table_type, coalesce(t.engine, ''), t.table_rows, t.data_length,
       coalesce(t.table_comment, '')
from information_schema.tables t
where t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW')
"""
_LISTED = """
  and t.table_schema not in ('information_schema', 'mysql', 'performance_schema', 'sys')
order by t.table_schema, t.table_name
"""
_ABOUT = "name data_type column_type precision scale digits nullable comment collation"
_COLUMNS = """
select c.table_schema, c.table_name, c.column_name, c.data_type, c.column_type, c.numeric_precision, c.numeric_scale,
       c.datetime_precision, c.is_nullable, c.column_comment, c.collation_name
from information_schema.columns c
"""
# The primary key comes first, then unique indexes; a nullable column makes an index no key.
_KEYS = """
select s.table_schema, s.table_name, s.index_name, s.column_name, s.nullable, s.sub_part
from information_schema.statistics s
where s.non_unique = 0{and_where}
order by s.table_schema, s.table_name, s.index_name <> 'PRIMARY', s.index_name, s.seq_in_index
"""
_SYSTEM = "('information_schema', 'mysql', 'performance_schema', 'sys')"


@dataclass(frozen=True)
class Relation(database.Relation[Column]):
    """A table or view (`schema` and `table`), or a query without either."""

    schema: str = ""
    table: str = ""
    engine: str = ""

    @property
    def is_snapshot(self) -> bool:
        """Whether one transaction sees one state of it; of a view or query nothing is known but the best."""
        return self.engine.lower() in ("", "innodb", "rocksdb", "xtradb")

    @property
    def sliceable(self) -> bool:
        return bool(self.table and self.engine) and self.is_snapshot


def find_relation(session: Session, stream: StreamSpec) -> Relation:
    """Raises `SourceChanged` when it is not there, naming what is."""
    if stream.query:
        return _query(session, stream.query)
    return _with_columns(session, [_resolve(session, stream.object)])[0]


def every_relation(session: Session) -> list[Relation]:
    return _with_columns(session, session.rows(_TABLES + _LISTED))


def _resolve(session: Session, name: str) -> tuple[Any, ...]:
    """The table as written, else in any case of letters, else with the dots as part of its name."""
    for schema, table in _readings(name):
        where = f"t.table_schema = {literal(schema)}" if schema else "t.table_schema = database()"
        found = session.rows(f"{_TABLES} and t.table_name = {literal(table)} and {where}")
        exact = [row for row in found if row[1] == table]
        if found:
            return (exact or found)[0]
    listed = [(row[1], shown(row[0], row[1])) for row in session.rows(_TABLES + _LISTED)]
    raise no_relation(name, listed, "SELECT on it")


def _readings(name: str) -> list[tuple[str, str]]:
    parts = name_parts(name)[-2:]
    first = ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])
    return list(dict.fromkeys([first, ("", name)]))


def shown(schema: str, table: str) -> str:
    """A name as `name_parts` reads it back."""
    parts = (part if part.replace("_", "a").isalnum() else identifier(part) for part in (schema, table))
    return ".".join(parts)


def _with_columns(session: Session, found: list[tuple[Any, ...]]) -> list[Relation]:
    where = _only(found, "c")
    columns: dict[tuple[str, str], list[Column]] = {}
    for schema, table, *about in session.rows(f"{_COLUMNS} where {where} order by c.ordinal_position"):
        columns.setdefault((schema, table), []).append(column_of(dict(zip(_ABOUT.split(), about, strict=True))))
    keys = _keys(session, _only(found, "s"))
    return [_relation(row, columns.get((row[0], row[1]), []), keys.get((row[0], row[1]), ())) for row in found]


def _only(found: list[tuple[Any, ...]], alias: str) -> str:
    """A condition for one table; for a list, for everything that is no system's."""
    if len(found) == 1:
        return f"{alias}.table_schema = {literal(found[0][0])} and {alias}.table_name = {literal(found[0][1])}"
    return f"{alias}.table_schema not in {_SYSTEM}"


def _keys(session: Session, where: str) -> dict[tuple[str, str], tuple[str, ...]]:
    indexes: dict[tuple[str, str], dict[str, list[tuple[str, bool]]]] = {}
    for schema, table, index, column, nullable, part in session.rows(_KEYS.format(and_where=f" and {where}")):
        whole = nullable != "YES" and part is None and column is not None
        indexes.setdefault((schema, table), {}).setdefault(index, []).append((str(column), whole))
    return {
        table: next((tuple(name for name, _ in each) for each in found.values() if all(whole for _, whole in each)), ())
        for table, found in indexes.items()
    }


def _relation(row: tuple[Any, ...], columns: list[Column], key: tuple[str, ...]) -> Relation:
    schema, table, kind, engine, rows, size, comment = row
    is_view = kind == "VIEW"
    return Relation(
        shown(schema, table),
        f"{identifier(schema)}.{identifier(table)}",
        tuple(columns),
        key,
        "" if is_view else str(comment),
        None if is_view or rows is None else int(rows),
        None if is_view or size is None else int(size),
        schema,
        table,
        str(engine),
    )


def _query(session: Session, query: str) -> Relation:
    source = subselect(query)
    columns = tuple(described_column(field) for field in session.fields(f"select * from {source}"))
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"`query` yields {names.count(name)} columns named '{name}'", remedy="give each an alias of its own"
            )
    return Relation("query", source, columns)
