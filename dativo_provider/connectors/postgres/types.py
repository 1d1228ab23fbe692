"""PostgreSQL types: which of ours each is, how it is selected, and how its text becomes Arrow.

Whatever has no exact type of ours stays PostgreSQL's own text: unbounded numerics, intervals, ranges, enums, …
https://www.postgresql.org/docs/current/datatype.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from dativo_provider.connectors.postgres.session import Session
from dativo_provider.connectors.postgres.sql import identifier
from dativo_provider.model.stream import Field

__all__ = ["Column", "TypeInfo", "column_of", "load_types"]

Form = Literal["plain", "binary", "list"]

_SCALARS = {
    "bool": "boolean", "int2": "int", "int4": "int", "int8": "long", "oid": "long", "float4": "float",
    "float8": "double", "date": "date", "time": "time", "timestamp": "timestamp", "timestamptz": "timestamptz",
    "uuid": "uuid", "bytea": "binary",
}  # fmt: skip
_DECIMAL = re.compile(r"decimal\(\d+,\d+\)")
_FIRST_OF_USERS = 16384  # FirstNormalObjectId: https://www.postgresql.org/docs/current/system-catalog-initial-data.html
_TYPES = """
with recursive need(oid) as (
  select unnest(%s::oid[])
  union
  select case t.typtype when 'd' then t.typbasetype else t.typelem end
  from need join pg_catalog.pg_type t on t.oid = need.oid
  where t.typtype = 'd' or (t.typcategory = 'A' and t.typelem <> 0)
)
select t.oid, t.typname, n.nspname = 'pg_catalog', t.typtype, t.typcategory, t.typlen, t.typelem, t.typbasetype,
       t.typtypmod, t.typnotnull, t.typndims
from need join pg_catalog.pg_type t on t.oid = need.oid join pg_catalog.pg_namespace n on n.oid = t.typnamespace
"""


@dataclass(frozen=True)
class TypeInfo:
    """A row of pg_type."""

    oid: int
    name: str
    builtin: bool
    kind: str
    category: str
    length: int
    element: int
    base: int
    modifier: int
    not_null: bool
    dimensions: int


@dataclass(frozen=True)
class Column:
    """A column as it will be read."""

    name: str
    type: str
    source_type: str
    required: bool = False
    description: str = ""
    form: Form = "plain"

    @property
    def field(self) -> Field:
        return Field(self.name, self.type, self.required, self.description, source_type=self.source_type)

    def selected(self, as_text: bool) -> str:
        """The expression whose COPY text we parse. Arrays travel as JSON: as text, of their own kind of items."""
        quoted = identifier(self.name)
        if self.form != "list":
            return quoted
        return f"array_to_json({quoted}) as {quoted}" if as_text else f"array_to_json({quoted}::text[]) as {quoted}"


def load_types(session: Session, oids: Iterable[int]) -> dict[int, TypeInfo]:
    """The types and all they are made of. Those PostgreSQL was built with are asked for once a connection: nothing
    can alter them. Users' own are asked for each time."""
    builtin: dict[int, TypeInfo] = session.known.setdefault("types", {})
    if needed := set(oids) - builtin.keys():
        found = {row[0]: TypeInfo(*row) for row in session.rows(_TYPES, (sorted(needed),))}
        builtin |= {oid: info for oid, info in found.items() if oid < _FIRST_OF_USERS}
        return {**builtin, **found}
    return builtin


def column_of(
    name: str,
    oid: int,
    modifier: int,
    types: Mapping[int, TypeInfo],
    *,
    source_type: str = "",
    required: bool = False,
    description: str = "",
    dimensions: int = 0,
    declared: str = "",
) -> Column:
    """`declared` is the contract's type for this column: it may give an unbounded numeric its scale."""
    info = types[oid]
    while info.kind == "d":
        required, dimensions = required or info.not_null, max(dimensions, info.dimensions)
        modifier = info.modifier if info.modifier >= 0 else modifier
        info = types[info.base]
    type_, form = _shape(info, modifier, dimensions, types, declared)
    return Column(name, type_, source_type or info.name, required, description, form)


def _shape(
    info: TypeInfo, modifier: int, dimensions: int, types: Mapping[int, TypeInfo], declared: str
) -> tuple[str, Form]:
    if info.category == "A" and info.element and info.length == -1:
        # a column declared with two dimensions keeps PostgreSQL's own text
        return ("string", "plain") if dimensions > 1 else (f"list<{_item(info, modifier, types, declared)}>", "list")
    scalar = _scalar(info, modifier, declared)
    return scalar, "binary" if scalar == "binary" else "plain"


def _item(info: TypeInfo, modifier: int, types: Mapping[int, TypeInfo], declared: str) -> str:
    item = types[info.element]
    while item.kind == "d":
        modifier = item.modifier if item.modifier >= 0 else modifier
        item = types[item.base]
    return _scalar(item, modifier, declared.removeprefix("list<").removesuffix(">"))


def _scalar(info: TypeInfo, modifier: int, declared: str) -> str:
    if not info.builtin:
        return "string"
    if info.name == "numeric":
        return _numeric(modifier, declared)
    return _SCALARS.get(info.name, "string")


def _numeric(modifier: int, declared: str) -> str:
    if modifier < 4:
        return declared if _DECIMAL.fullmatch(declared) else "string"
    precision, scale = ((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0x7FF
    if scale >= 1024:  # negative scales, since PostgreSQL 15
        precision, scale = precision + 2048 - scale, 0
    precision = max(precision, scale)
    return f"decimal({precision},{scale})" if precision <= 38 else "string"
