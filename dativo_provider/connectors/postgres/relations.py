"""What the database's own catalogs say about tables, views and queries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dativo_provider.connectors.database import relation as database
from dativo_provider.connectors.database.relation import no_relation
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.sql import identifier, name_parts, subselect
from dativo_provider.connectors.postgres.types import Column, column_of, load_types
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import StreamSpec

__all__ = ["Relation", "every_relation", "find_relation"]

_KINDS = "'r', 'p', 'v', 'm', 'f'"
_RELATIONS = f"""
select c.oid::bigint, n.nspname, c.relname, c.relkind::text, coalesce(obj_description(c.oid, 'pg_class'), ''),
       c.relhassubclass, coalesce(am.amname = 'heap', false),
       case when c.relkind = 'p' then (select sum(l.reltuples) filter (where l.reltuples >= 0)
                                       from pg_partition_tree(c.oid) t join pg_class l on l.oid = t.relid
                                       where t.isleaf)
            when c.relkind in ('r', 'm', 'f') and c.reltuples >= 0 then c.reltuples end::bigint,
       (current_setting('block_size')::bigint * nullif(
         case when c.relkind = 'p' then (select sum(l.relpages) from pg_partition_tree(c.oid) t
                                         join pg_class l on l.oid = t.relid where t.isleaf)
              when c.relkind in ('r', 'm') then c.relpages end, 0))::bigint
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_am am on am.oid = c.relam
where c.relkind in ({_KINDS}) and not pg_is_other_temp_schema(n.oid)
"""
# Not listed: partitions (their parent is), what extensions brought, and what this user may not read.
_LISTED = """
  and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
  and not c.relispartition and has_schema_privilege(n.oid, 'usage')
  and (has_table_privilege(c.oid, 'select') or has_any_column_privilege(c.oid, 'select'))
  and not exists (select 1 from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
                  and d.deptype = 'e')
order by n.nspname, c.relname
"""
_COLUMNS = """
select a.attrelid::bigint, a.attname, a.atttypid::bigint, a.atttypmod, format_type(a.atttypid, a.atttypmod),
       a.attnotnull, coalesce(col_description(a.attrelid, a.attnum), ''), a.attndims, a.attnum,
       coalesce(array_position(k.conkey, a.attnum), 0)
from pg_catalog.pg_attribute a
left join pg_catalog.pg_constraint k on k.conrelid = a.attrelid and k.contype = 'p'
where a.attrelid = any(%s::oid[]) and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum
"""


@dataclass(frozen=True)
class Relation(database.Relation[Column]):
    """A relation of the catalog, or a query (`oid` 0)."""

    oid: int = 0
    kind: str = "q"
    plain: bool = False  # a heap table without children: rows have a ctid that means a page


def find_relation(session: Session, stream: StreamSpec) -> Relation:
    """Raises `SourceChanged` when it is not there, naming what is."""
    declared = {field.name: field.type for field in stream.contract.fields}
    if stream.query:
        return _query(session, stream.query, declared)
    row = _resolve(session, stream.object)
    return _with_columns(session, [row], declared)[0]


def every_relation(session: Session) -> list[Relation]:
    return _with_columns(session, session.rows(_RELATIONS + _LISTED), {})


def _resolve(session: Session, name: str) -> tuple[Any, ...]:
    """The relation as written, else folded to lower case as PostgreSQL would, else the dots as part of the name."""
    for schema, table in _readings(name):
        rule = "n.nspname = %s" if schema else "pg_table_is_visible(c.oid) and %s = ''"
        found = session.rows(f"{_RELATIONS} and c.relname = %s and {rule}", (table, schema))
        if found:
            return found[0]
    listed = [(row[2], shown(row[1], row[2])) for row in session.rows(_RELATIONS + _LISTED)]
    raise no_relation(name, listed, "USAGE on its schema")


def _readings(name: str) -> list[tuple[str, str]]:
    parts = name_parts(name)[-2:]
    exact = [part for part, _ in parts]
    folded = [part if quoted else part.lower() for part, quoted in parts]
    readings = [("", *each) if len(each) == 1 else tuple(each) for each in (exact, folded)] + [("", name)]
    return [(schema, table) for schema, table in dict.fromkeys(readings)]


def shown(schema: str, table: str) -> str:
    """A name as `name_parts` reads it back."""
    parts = (part if part.replace("_", "a").isalnum() else identifier(part) for part in (schema, table))
    return ".".join(parts)


def _with_columns(session: Session, found: list[tuple[Any, ...]], declared: dict[str, str]) -> list[Relation]:
    rows = session.rows(_COLUMNS, ([row[0] for row in found],))
    types = load_types(session, (row[2] for row in rows))
    columns: dict[int, list[Column]] = {row[0]: [] for row in found}
    keys: dict[int, list[tuple[int, str]]] = {row[0]: [] for row in found}
    for oid, name, type_oid, modifier, source_type, required, comment, dimensions, _, place in rows:
        columns[oid].append(
            column_of(
                name, type_oid, modifier, types,
                source_type=source_type, required=required, description=comment, dimensions=dimensions,
                declared=declared.get(name, ""),
            )
        )  # fmt: skip
        if place:
            keys[oid].append((place, name))
    return [_relation(row, tuple(columns[row[0]]), keys[row[0]]) for row in found]


def _relation(row: tuple[Any, ...], columns: tuple[Column, ...], key: list[tuple[int, str]]) -> Relation:
    oid, schema, table, kind, comment, parent, heap, rows, size = row
    return Relation(
        shown(schema, table),
        f"{identifier(schema)}.{identifier(table)}",
        columns,
        tuple(name for _, name in sorted(key)),
        comment,
        rows,
        size,
        oid,
        kind,
        kind in ("r", "m") and heap and not parent,
    )


def _query(session: Session, query: str, declared: dict[str, str]) -> Relation:
    source = subselect(query)
    described = session.columns(f"select * from {source} limit 0")
    names = [each.name for each in described]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(
                f"`query` yields {names.count(name)} columns named '{name}'", remedy="give each an alias of its own"
            )
    types = load_types(session, (each.type_code for each in described))
    origins = _origins(session, {each.table_oid for each in described if each.table_oid})
    columns = []
    for each in described:
        source_type, comment = origins.get((each.table_oid, each.table_column), ("", ""))
        columns.append(
            column_of(
                each.name, each.type_code, _modifier(each), types,
                source_type=source_type, description=comment, declared=declared.get(each.name, ""),
            )
        )  # fmt: skip
    return Relation("query", source, tuple(columns))


def _origins(session: Session, tables: set[int]) -> dict[tuple[int, int], tuple[str, str]]:
    """Type and comment of the table columns behind a query's columns."""
    rows = session.rows(_COLUMNS, (sorted(tables),)) if tables else []
    return {(row[0], row[8]): (row[4], row[6]) for row in rows}


def _modifier(column: Any) -> int:
    """The type modifier of a numeric: psycopg2 shows it as precision and scale."""
    if column.precision is None or column.precision == 65535:
        return -1
    return (int(column.precision) << 16 | (int(column.scale or 0) & 0x7FF)) + 4
