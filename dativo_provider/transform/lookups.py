"""Lookups: an expression may read `customers.country`, the column of the one row of `customers` that has the row's key.

A LEFT JOIN that cannot multiply rows: a table in which a key comes twice is refused before any row is read. Within an
expression a lookup is a struct of the columns that are read of it; where there is no such row they are NULL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from dativo_provider.errors import ConfigurationError, DataError, InternalError
from dativo_provider.model.batch import one_array
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.lookup import LookupSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.sql.names import quoted
from dativo_provider.sql.sandbox import connect
from dativo_provider.transform.expressions import lookup_columns, refuse

if TYPE_CHECKING:
    import duckdb

__all__ = ["Lookup", "Matcher", "check_unique", "joined", "matched", "read_columns"]

_PLACE = "__dativo_place"
_ALIKE = {"int": "a whole number", "long": "a whole number", "string": "text", "uuid": "text"}
_NEVER = ("float", "double", "binary", "list", "map", "struct")


@dataclass(frozen=True)
class Lookup:
    """A lookup with the columns that are read of it, and once it is read its `rows`."""

    spec: LookupSpec
    columns: tuple[Field, ...]
    rows: pa.Table | None = None

    @property
    def type(self) -> pa.DataType:
        return pa.struct([pa.field(item.name, to_arrow(item.type)) for item in self.columns])


def read_columns(
    lookup: LookupSpec, transforms: Iterable[TransformSpec], fields: Sequence[Field], of: str
) -> tuple[Field, ...]:
    """Those of `fields` (of the table or file `of`) that make its key or that a transformation reads.

    Raises `ConfigurationError` at the transformation, or at the lookup, that names another.
    """
    known = {item.name.casefold(): item for item in fields}
    wanted = dict.fromkeys(_key_column(lookup, name, known, of) for name in lookup.key)
    for transform in transforms:
        for name in lookup_columns(transform, [lookup.name]).get(lookup.name, ()):
            if name.casefold() not in known:
                refuse(transform, f"lookup '{lookup.name}' has no column '{name}' (has: {_names(known)})")
            wanted[known[name.casefold()]] = None
    return tuple(wanted)


def _key_column(lookup: LookupSpec, name: str, known: Mapping[str, Field], of: str) -> Field:
    if name.casefold() not in known:
        raise ConfigurationError(
            f"lookup '{lookup.name}': {of} has no column '{name}' (has: {_names(known)})",
            where=lookup.declared_in,
            remedy="name in `key` a column of it, and the row's: `key: {id: customer_id}`",
        )
    return known[name.casefold()]


def _names(known: Mapping[str, Field]) -> str:
    return ", ".join(item.name for item in known.values())


def matched(transform: TransformSpec, lookups: Sequence[Lookup], known: Mapping[str, Field]) -> list[Lookup]:
    """The lookups it reads. Raises `ConfigurationError` where the row lacks the column that finds it, or that column
    is of another kind than the lookup's."""
    named = lookup_columns(transform, [each.spec.name for each in lookups])
    found = [each for each in lookups if each.spec.name in named]
    for lookup in found:
        if any(name.casefold() == lookup.spec.name.casefold() for name in known):
            refuse(
                transform, f"'{lookup.spec.name}' is a lookup and a column of the row", "give the lookup another name"
            )
        types = {item.name.casefold(): item.type for item in lookup.columns}
        for theirs, ours in lookup.spec.key.items():
            if ours not in known:
                refuse(
                    transform,
                    f"lookup '{lookup.spec.name}' is found by '{ours}', and there is no such column before it "
                    f"(has: {_names(known)})",
                    f"name a column of the row in `lookups.{lookup.spec.name}.key`",
                )
            _check_kind(lookup, theirs, types[theirs.casefold()], ours, known[ours].type)
    return found


def _check_kind(lookup: Lookup, theirs: str, their_type: str, ours: str, our_type: str) -> None:
    same = _ALIKE.get(their_type, their_type) == _ALIKE.get(our_type, our_type)
    if same and not our_type.startswith(_NEVER):
        return
    what = "cannot be a key" if same else f"the row's '{ours}' is {our_type}"
    raise ConfigurationError(
        f"lookup '{lookup.spec.name}': its column '{theirs}' is {their_type}; {what}",
        where=lookup.spec.declared_in,
        remedy=f"give a CSV file's column its type (`types: {{{theirs}: {our_type}}}`), or make a column of the row of "
        "the same type with a transformation before",
    )


def check_unique(lookup: Lookup, rows: pa.Table, of: str, memory_limit_mb: int) -> None:
    """Raises `DataError` when a key comes more than once: each row that has it would be doubled. NULL finds nothing."""
    keys = _keys(lookup, rows)
    names = ", ".join(quoted(name) for name in keys.schema.names)
    present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in keys.schema.names)
    query = f"SELECT count(*) FROM (SELECT 1 FROM keys WHERE {present} GROUP BY {names} HAVING count(*) > 1)"
    with connect(memory_limit_mb, 1) as database:
        database.register("keys", keys)
        found = database.execute(query).fetchall()[0][0]
    if found:
        key = ", ".join(lookup.spec.key)
        raise DataError(
            f"lookup '{lookup.spec.name}': {found} values of its key ({key}) come more than once in {of}: rows that "
            "have them would be multiplied",
            where=lookup.spec.declared_in,
            remedy=f"make ({key}) unique there, or add to `key` the columns that tell such rows apart",
        )


def _keys(lookup: Lookup, rows: pa.Table) -> pa.Table:
    places = {name.casefold(): at for at, name in enumerate(rows.schema.names)}
    columns = [rows.column(places[name.casefold()]) for name in lookup.spec.key]
    return pa.Table.from_arrays(columns, [f"k{at}" for at in range(len(columns))])


class Matcher:
    """Finds the rows of one lookup for batch after batch."""

    def __init__(self, lookup: Lookup, database: duckdb.DuckDBPyConnection) -> None:
        assert lookup.rows is not None
        self._lookup, self._database, self._name = lookup, database, f"lookup_{lookup.spec.name}"
        keys = _keys(lookup, lookup.rows)
        places = pa.array(range(keys.num_rows), pa.int64())
        self._database.register(self._name, keys.append_column(_PLACE, places))
        self._columns = [one_array(lookup.rows.column(item.name)) for item in lookup.columns]
        on = " AND ".join(f"given.k{at} = found.k{at}" for at in range(keys.num_columns))
        self._query = (
            f"SELECT found.{_PLACE} AS place FROM given LEFT JOIN {quoted(self._name)} found ON {on} "
            f"ORDER BY given.{_PLACE}"
        )

    def uses(self, column: str) -> bool:
        return column in self._lookup.spec.key.values()

    def find(self, data: pa.RecordBatch) -> pa.StructArray:
        """For each row what was found, or NULLs, in the order of the rows."""
        given = pa.table({f"k{at}": data.column(ours) for at, ours in enumerate(self._lookup.spec.key.values())})
        given = given.append_column(_PLACE, pa.array(range(data.num_rows), pa.int64()))
        self._database.register("given", given)
        try:
            places = one_array(self._database.sql(self._query).to_arrow_table().column("place"))
        finally:
            self._database.unregister("given")
        if len(places) != data.num_rows:
            raise InternalError(f"{data.num_rows} rows found {len(places)} in lookup '{self._lookup.spec.name}'")
        return pa.StructArray.from_arrays([each.take(places) for each in self._columns], fields=list(self._lookup.type))


def joined(query: str, lookups: Sequence[Lookup]) -> str:
    """`query` with a column per lookup; each lookup's rows are registered under `lookup_<name>`."""
    for lookup in lookups:
        name = lookup.spec.name
        members = ", ".join(f"{quoted(item.name)} := found.{quoted(item.name)}" for item in lookup.columns)
        on = " AND ".join(f"given.{quoted(o)} = found.{quoted(t)}" for t, o in lookup.spec.key.items())
        query = (
            f"(SELECT given.*, struct_pack({members}) AS {quoted(name)} FROM {query} given "
            f"LEFT JOIN {quoted(f'lookup_{name}')} found ON {on})"
        )
    return query
