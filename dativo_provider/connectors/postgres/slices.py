"""Key ranges that several tasks read: within the planned window, never by physical place.

The first range is open below and the last above, so together they hold every row whatever the statistics say.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from dativo_provider.connectors.database.condition import KeyRange
from dativo_provider.connectors.postgres.options import Options
from dativo_provider.connectors.postgres.relations import Relation
from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.sql import identifier, literal
from dativo_provider.connectors.postgres.types import Column
from dativo_provider.model.stream import Slice, Window

__all__ = ["cut"]

MOST = 256
_NUMBERS = ("int", "long")
_MOMENTS = ("timestamp", "timestamptz", "date")
_HISTOGRAM = """
select coalesce(s.histogram_bounds::text::text[], '{}')
from pg_catalog.pg_stats s join pg_catalog.pg_class c on c.relname = s.tablename
join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname = s.schemaname
where c.oid = %s::oid and s.attname = %s order by s.inherited desc limit 1
"""


_COLLATION = """
select quote_ident(n.nspname) || '.' || quote_ident(l.collname)
from pg_catalog.pg_attribute a join pg_catalog.pg_collation l on l.oid = a.attcollation
join pg_catalog.pg_namespace n on n.oid = l.collnamespace
where a.attrelid = %s::oid and a.attname = %s
"""


def cut(
    session: Session, relation: Relation, window: Window, want: int, options: Options, spec: dict[str, Any]
) -> list[Slice]:
    """At most `want` slices, each of at least about `min_slice_rows` rows; `spec` is in all of them."""
    rows = _rows(session, relation)
    want = min(want, MOST, max(1, rows // max(1, options.min_slice_rows)))
    column = _key(relation, window) if want > 1 else None
    bounds = _bounds(session, relation, column, window, want) if column else []
    if not column or not bounds:
        return [Slice(0, spec["stream"], spec, relation.rows)]
    ends = [None, *(f"{literal(bound)}::{column.source_type}" for bound in bounds), None]
    ranges = [KeyRange(identifier(column.name), lo, hi) for lo, hi in pairwise(ends)]
    return [
        Slice(index, spec["stream"], {**spec, "range": vars(each)}, rows // len(ranges))
        for index, each in enumerate(ranges)
    ]


def _rows(session: Session, relation: Relation) -> int:
    """The estimate of the statistics; where there is none, as many rows as the pages may hold."""
    if relation.rows is not None:
        return relation.rows
    if not relation.oid or relation.kind not in ("r", "m"):
        return 0
    return int(session.rows("select pg_relation_size(%s::oid)", (relation.oid,))[0][0]) // 100


def _key(relation: Relation, window: Window) -> Column | None:
    """The cursor where it has an upper and a lower bound: its index narrows each slice. Else the primary key."""
    names = [window.column] if window.lo is not None else [*relation.key[:1], window.column]
    columns = [relation.column(name) for name in names if name]
    return next((column for column in columns if column and column.form == "plain"), None)


def _bounds(session: Session, relation: Relation, column: Column, window: Window, want: int) -> list[str]:
    """Ascending inner bounds, at most `want - 1`."""
    inside = window if window.column == column.name else Window()
    histogram = _within(session, relation, column, _histogram(session, relation, column), inside)
    if len(histogram) >= want - 1:
        return _quantiles(histogram, want)
    even = _even(session, relation, column, inside, want)
    return even or _quantiles(histogram, min(want, len(histogram) + 1))


def _histogram(session: Session, relation: Relation, column: Column) -> list[str]:
    found = session.rows(_HISTOGRAM, (relation.oid, column.name)) if relation.oid else []
    return list(found[0][0]) if found else []


def _within(session: Session, relation: Relation, column: Column, values: Sequence[str], window: Window) -> list[str]:
    """Those strictly inside the window, each once, ascending as the column's own collation has it now: the statistics
    may be older than the server's collations."""
    if not values:
        return []
    kind = column.source_type
    tests = [f"v > {literal(str(window.lo))}::{kind}"] if window.lo is not None else []
    tests += [f"v < {literal(str(window.hi))}::{kind}"] if window.hi is not None else []
    where = f"where {' and '.join(tests)}" if tests else ""
    found = session.rows(_COLLATION, (relation.oid, column.name))
    collate = f"collate {found[0][0]}" if found else ""
    distinct = f"select distinct u::{kind} {collate} as v from unnest(%s::text[]) as t (u)"
    statement = f"select d.v::text from ({distinct}) d {where} order by d.v"
    return [value for (value,) in session.rows(statement, (list(values),))]


def _quantiles(values: list[str], want: int) -> list[str]:
    picked = [values[len(values) * part // want] for part in range(1, want)] if values else []
    return list(dict.fromkeys(picked))


def _even(session: Session, relation: Relation, column: Column, window: Window, want: int) -> list[str]:
    """Equal steps between the smallest and the greatest value of a number or moment."""
    if column.type not in (*_NUMBERS, *_MOMENTS):
        return []
    name, kind = identifier(column.name), column.source_type
    inside = [
        f"{name} {sign} {literal(str(end))}::{kind}" for sign, end in ((">=", window.lo), ("<", window.hi)) if end
    ]
    where = f"where {' and '.join(inside)}" if inside else ""
    lo, hi = session.rows(f"select min({name})::text, max({name})::text from {relation.source} {where}")[0]
    if lo is None or hi is None or "infinity" in lo + hi:
        return []
    return _steps(session, column, kind, lo, hi, want)


def _steps(session: Session, column: Column, kind: str, lo: str, hi: str, want: int) -> list[str]:
    if column.type in _NUMBERS:
        first, last = int(lo), int(hi)
        inner = (first + (last - first) * part // want for part in range(1, want))
        return [str(value) for value in dict.fromkeys(inner) if first < value <= last]
    step = (
        f"select distinct ({literal(lo)}::timestamp + ({literal(hi)}::timestamp - {literal(lo)}::timestamp) "
        f"* k / {want})::{kind} as v from generate_series(1, {want - 1}) k"
    )
    rows = session.rows(f"select s.v::text from ({step}) s where s.v > {literal(lo)}::{kind} order by s.v")
    return [value for (value,) in rows]
