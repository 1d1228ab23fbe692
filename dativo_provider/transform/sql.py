"""SQL expressions of `transformations:`, in file order; each sees the columns made before it.

An expression may read lookups (`customers.country`), see `transform.lookups`. Row-wise ones run batch by batch. From
the first that looks at other rows (OVER) on, they run over the whole run. `type:` (or the contract's type of that
column) is an SQL CAST, which rounds as SQL does. Where a row-wise expression fails on a row, that value becomes NULL
and is reported like a failed cast; over the whole run it is a `DataError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.errors import ConfigurationError, DataError, Unsupported
from dativo_provider.model.batch import one_array
from dativo_provider.model.job import TransformSpec
from dativo_provider.model.lookup import LookupSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import check_type, from_arrow, split_nested, to_arrow
from dativo_provider.sql.names import quoted
from dativo_provider.sql.sandbox import arrow_reader, connect
from dativo_provider.transform.attempt import Converted, either
from dativo_provider.transform.cast import Cast, convert
from dativo_provider.transform.expressions import (
    check_expression,
    explain,
    is_windowed,
    lookup_columns,
    refuse,
    with_json_access,
)
from dativo_provider.transform.lookups import Lookup, Matcher, joined, matched

__all__ = ["RowTransforms", "check_texts", "is_windowed", "plan_columns", "run_windowed"]

_ROW = "__dativo_row"
_ROWS_OUT = 65_536
_SQL_TYPES = {
    "boolean": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "date": "DATE",
    "time": "TIME", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ", "string": "VARCHAR", "uuid": "UUID",
    "binary": "BLOB",
}  # fmt: skip


@dataclass(frozen=True)
class _Step:
    """One transformation, ready to run: `sql` yields `column` in `type`."""

    transform: TransformSpec
    column: str
    sql: str
    type: str
    lookups: tuple[Lookup, ...] = ()


def check_texts(transforms: Sequence[TransformSpec], lookups: Sequence[LookupSpec]) -> None:
    """What can be told of the expressions without any column. Raises `ConfigurationError`."""
    for transform in transforms:
        check_expression(transform)
        lookup_columns(transform, [lookup.name for lookup in lookups])


def plan_columns(
    transforms: Sequence[TransformSpec], fields: Sequence[Field], lookups: Sequence[Lookup] = ()
) -> tuple[Field, ...]:
    """The columns after all transformations. One that makes a column of `fields` replaces it in place and keeps its
    declared type; others are appended with the type they declare or DuckDB infers.

    Raises `ConfigurationError` where an expression is none, or does not fit the columns.
    """
    return _compile(transforms, fields, lookups)[1] if transforms else tuple(fields)


def _compile(
    transforms: Sequence[TransformSpec], fields: Sequence[Field], lookups: Sequence[Lookup]
) -> tuple[list[_Step], tuple[Field, ...]]:
    steps: list[_Step] = []
    known = {item.name: item for item in fields}
    with connect(64, 1) as database:
        for transform in transforms:
            step = _step(transform, known, lookups, database)
            steps.append(step)
            before = known.get(step.column, Field(step.column, description=f"transformation {transform.name}"))
            known[step.column] = replace(before, type=step.type)
    return steps, tuple(known.values())


def _step(
    transform: TransformSpec,
    known: dict[str, Field],
    lookups: Sequence[Lookup],
    database: duckdb.DuckDBPyConnection,
) -> _Step:
    check_expression(transform)
    used = matched(transform, lookups, known)
    declared = _declared(transform, known)
    texts = {item.name.casefold() for item in known.values() if item.type == "string"}
    body = f"(\n{with_json_access(transform.expression, lambda name: name.casefold() in texts)}\n)"
    sql = f"CAST({body} AS {_sql_type(declared)})" if declared else body
    seen = [*_schema(known.values()), *(pa.field(each.spec.name, each.type) for each in used)]
    database.register("rows", pa.schema(seen).empty_table())
    try:
        inferred = database.sql(f"SELECT {sql} AS v FROM rows").to_arrow_table().schema.field("v").type
    except duckdb.Error as error:
        explain(transform, error, known)
    finally:
        database.unregister("rows")
    return _Step(transform, transform.column, sql, declared or _type_of(inferred, transform), tuple(used))


def _declared(transform: TransformSpec, known: dict[str, Field]) -> str:
    contract = known[transform.column].type if transform.column in known else ""
    if transform.type:
        try:
            check_type(transform.type)
        except ConfigurationError as error:
            refuse(transform, error.message, error.remedy)
    if transform.type and contract and transform.type != contract:
        refuse(
            transform, f"it makes '{transform.column}' a {transform.type}, which is {contract} elsewhere", "drop `type`"
        )
    return transform.type or contract


def _type_of(kind: pa.DataType, transform: TransformSpec) -> str:
    try:
        return from_arrow(kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind)
    except Unsupported as error:
        refuse(transform, f"its result is of type {kind}: {error.message}", "add a CAST or `type:`")


def _sql_type(name: str) -> str:
    nested = split_nested(name)
    if nested is None:
        return _SQL_TYPES.get(name, name)
    kind, parts = nested
    if kind == "list":
        return f"{_sql_type(parts[0])}[]"
    if kind == "map":
        return f"MAP({_sql_type(parts[0])}, {_sql_type(parts[1])})"
    members = (part.partition(":") for part in parts)
    return "STRUCT(" + ", ".join(f"{quoted(member)} {_sql_type(inner)}" for member, _, inner in members) + ")"


def _schema(fields: Iterable[Field]) -> pa.Schema:
    return pa.schema([pa.field(item.name, to_arrow(item.type)) for item in fields])


class RowTransforms:
    """Row-wise transformations, compiled once against the columns of the batches to come."""

    def __init__(
        self, transforms: Sequence[TransformSpec], fields: Sequence[Field], lookups: Sequence[Lookup] = ()
    ) -> None:
        """Raises `ConfigurationError` as `plan_columns` does, and for one that looks at other rows."""
        self._steps, self.fields = _compile(transforms, fields, lookups)
        for transform in transforms:
            if is_windowed(transform.expression):
                refuse(transform, "it looks at other rows and cannot run row by row")
        self._database = connect(256, 1)
        self._found = Found(
            {each.spec.name: Matcher(each, self._database) for step in self._steps for each in step.lookups}
        )

    def apply(self, data: pa.RecordBatch) -> Cast:
        """The batch with every transformation's column; `failures` marks the values an expression failed on."""
        failures: dict[str, pa.BooleanArray] = {}
        self._found.forget()
        for step in self._steps:
            values, failed = self._run(step, self._found.beside(step.lookups, data))
            data = _with_column(data, step.column, values)
            self._found.forget(step.column)
            if failed is not None and pc.any(failed).as_py():
                failures[step.column] = failed
        return Cast(data, failures)

    def _run(self, step: _Step, data: pa.RecordBatch) -> Converted:
        self._database.register("rows", pa.Table.from_batches([data]))
        try:
            return self._fast(step)
        except duckdb.Error:
            return self._careful(step)
        finally:
            self._database.unregister("rows")

    def _fast(self, step: _Step) -> Converted:
        made = self._database.sql(f"SELECT {step.sql} AS v FROM rows").to_arrow_table()
        return convert(one_array(made.column("v")), step.type)

    def _careful(self, step: _Step) -> Converted:
        """In a list, so that NULL as an answer differs from none at all."""
        attempt = f"SELECT v[1] AS v, v IS NULL AS failed FROM (SELECT TRY([{step.sql}]) AS v FROM rows)"
        try:
            made = self._database.sql(attempt).to_arrow_table()
        except duckdb.Error as error:
            raise _failed([step.transform], error) from None
        values, unfit = convert(one_array(made.column("v")), step.type)
        return values, either(one_array(made.column("failed")), unfit)


class Found:
    """What the lookups hold for the rows of one batch, until a column that finds it is made anew."""

    def __init__(self, matchers: Mapping[str, Matcher]) -> None:
        self._matchers = matchers
        self._found: dict[str, pa.StructArray] = {}

    def beside(self, lookups: Sequence[Lookup], data: pa.RecordBatch) -> pa.RecordBatch:
        rows = data
        for lookup in lookups:
            name = lookup.spec.name
            if name not in self._found:
                self._found[name] = self._matchers[name].find(data)
            rows = rows.append_column(name, self._found[name])
        return rows

    def forget(self, column: str | None = None) -> None:
        """What was found by `column`; without one, everything."""
        gone = [name for name, each in self._matchers.items() if column is None or each.uses(column)]
        for name in gone:
            self._found.pop(name, None)


def _with_column(data: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    place = data.schema.get_field_index(name)
    return data.append_column(name, values) if place < 0 else data.set_column(place, name, values)


def _failed(transforms: Sequence[TransformSpec], error: duckdb.Error) -> DataError:
    names = " or ".join(f"'{transform.name}'" for transform in transforms)
    return DataError(
        f"transformation {names} failed on a row: {_without_values(error)}",
        where=transforms[0].declared_in,
        remedy="wrap what can fail in TRY(…), which yields NULL instead",
    )


def _without_values(error: duckdb.Error) -> str:
    """The kind of failure only: DuckDB's text may quote the row's values."""
    return str(error).partition(":")[0]


def run_windowed(
    transforms: Sequence[TransformSpec],
    batches: Iterator[pa.RecordBatch],
    memory_limit_mb: int,
    temp_dir: str,
    fields: Sequence[Field] = (),
    lookups: Sequence[Lookup] = (),
) -> Iterator[pa.RecordBatch]:
    """The rows of a whole run, in their order, with the transformations' columns. Spills to `temp_dir`.

    `fields` (the table's) decide the types of the made columns. Raises `DataError` when an expression fails.
    """
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        return
    known = {item.name: item for item in fields}
    incoming = [Field(item.name, from_arrow(item.type)) for item in first.schema]
    wanted = [replace(t, type=t.type or (known[t.column].type if t.column in known else "")) for t in transforms]
    steps, outgoing = _compile(wanted, incoming, lookups)
    with connect(memory_limit_mb, 2, temp_dir) as database:
        _load(database, chain([first], batches), first.schema)
        for lookup in lookups:
            database.register(f"lookup_{lookup.spec.name}", lookup.rows)
        query = _chained(steps, set(first.schema.names))
        try:
            yield from _ordered(database, query, outgoing)
        except duckdb.Error as error:
            raise _failed([step.transform for step in steps], error) from None


def _load(database: duckdb.DuckDBPyConnection, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> None:
    numbered = schema.append(pa.field(_ROW, pa.int64()))
    reader = pa.RecordBatchReader.from_batches(numbered, _numbered(batches, numbered))
    database.register("incoming", reader)
    database.execute("CREATE TABLE rows AS SELECT * FROM incoming").fetchall()
    database.unregister("incoming")


def _numbered(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    seen = 0
    for batch in batches:
        numbers = pa.array(range(seen, seen + batch.num_rows), pa.int64())
        yield pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=schema)
        seen += batch.num_rows


def _chained(steps: Sequence[_Step], have: set[str]) -> str:
    """One sub-query per transformation, so that each sees what those before it made."""
    query = "rows"
    for step in steps:
        name, beside = quoted(step.column), ", ".join(quoted(each.spec.name) for each in step.lookups)
        rows = f"* EXCLUDE ({beside})" if beside else "*"
        columns = f"{rows} REPLACE ({step.sql} AS {name})" if step.column in have else f"{rows}, {step.sql} AS {name}"
        query = f"(SELECT {columns} FROM {joined(query, step.lookups)})"
        have = have | {step.column}
    return query


def _ordered(database: duckdb.DuckDBPyConnection, query: str, fields: Sequence[Field]) -> Iterator[pa.RecordBatch]:
    columns, schema = ", ".join(quoted(item.name) for item in fields), _schema(fields)
    result = database.sql(f"SELECT {columns} FROM {query} ORDER BY {quoted(_ROW)}")
    for batch in arrow_reader(result, _ROWS_OUT):
        arrays = [_whole(batch.column(at), item) for at, item in enumerate(fields)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _whole(values: pa.Array, item: Field) -> pa.Array:
    data, failed = convert(values, item.type)
    if failed is not None:
        raise DataError(
            f"{failed.true_count} values of '{item.name}' do not fit into {item.type}",
            remedy="add a CAST to the transformation that makes it",
        )
    return data
