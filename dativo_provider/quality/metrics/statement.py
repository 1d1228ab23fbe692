"""Queries that contracts hold: one SELECT over the rows, which they call by any usual name, and nothing else.

`{object}`, `{table}`, `{dataset}` stand for the rows and `{property}`, `{column}`, `{field}` for the check's column,
with or without a `$` before them; the names of the stream and its table stand for the rows, too.
https://bitol-io.github.io/open-data-contract-standard/v3.1.0/data-quality/#sql
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.metrics.query import database, rows_of
from dativo_provider.quality.metrics.where import columns_named
from dativo_provider.sql.limit import limited
from dativo_provider.sql.names import quoted
from dativo_provider.sql.sandbox import connect
from dativo_provider.sql.syntax import named_columns, nodes, parsed_query

__all__ = ["answered", "lint_queries", "prepared"]

_ROWS, _COLUMN = ("object", "table", "dataset", "model"), ("property", "column", "field")
_PLACE = re.compile(rf"\$?\{{\s*({'|'.join((*_ROWS, *_COLUMN))})\s*\}}", re.IGNORECASE)


def prepared(check: CheckSpec) -> str:
    """The query with names in place of places. Raises `ConfigurationError` unless it is one SELECT."""
    query = _PLACE.sub(lambda place: _name(place[1].lower(), check), str(check.params["query"]).strip().rstrip(";"))
    if check.where:
        raise ConfigurationError("a query has its own WHERE; `where` beside it would not be heeded")
    parsed_query(query)
    return query


def lint_queries(checks: Iterable[CheckSpec], fields: Sequence[Field]) -> list[ConfigurationError]:
    """The queries that cannot run over rows of these columns, for `validate`."""
    found = []
    for check in checks:
        if check.kind in ("sql", "failed_rows") and not {"skipped", "not_evaluated"} & check.params.keys():
            try:
                _bind(prepared(check), fields)
            except ConfigurationError as error:
                wrong = f"check '{check.name}': {error.message}"
                found.append(ConfigurationError(wrong, where=check.declared_in, remedy=error.remedy))
    return found


def _bind(query: str, fields: Sequence[Field]) -> None:
    """What the query calls the rows may be a name that only a run knows: a table that is not there is no finding."""
    rows = pa.schema([pa.field(item.name, to_arrow(item.type)) for item in fields]).empty_table()
    with connect(64, 1) as found:
        found.register("staged", rows)
        try:
            found.execute(f"EXPLAIN {query}")
        except duckdb.CatalogException:
            return
        except duckdb.Error as error:
            raise ConfigurationError(str(error).partition("\n")[0]) from None


def _name(place: str, check: CheckSpec) -> str:
    if place in _ROWS:
        return "staged"
    if not check.columns:
        raise ConfigurationError(f"the query names {{{place}}}, but the check stands under no column")
    return quoted(check.columns[0])


def answered(scene: Scene, query: str, wrapped: str = "{0}") -> list[tuple[Any, ...]]:
    """The first two rows of `wrapped`, in which {0} is the query. A query that looks at the rows more than once gets
    them in a table that spills. Raises `ConfigurationError`, `duckdb.Error`."""
    tree = parsed_query(query)
    names = named_columns(tree)
    columns = columns_named(None if names is None or "staged" in names else names, scene)
    known = {name.casefold() for name in ("staged", *_called(scene))}
    tables = (str(node["table_name"]).casefold() for node in nodes(tree) if node.get("type") == "BASE_TABLE")
    looks = sum(table in known for table in tables)
    with database(scene) as found, rows_of(scene, columns) as reader, limited(found):
        if reader is None:
            return []
        found.register("incoming", reader)
        found.execute(f"CREATE {'VIEW' if looks < 2 else 'TABLE'} staged AS SELECT * FROM incoming")
        for name in _called(scene):
            found.execute(f"CREATE VIEW {quoted(name)} AS SELECT * FROM staged")
        answer: list[tuple[Any, ...]] = found.execute(wrapped.replace("{0}", query)).fetchmany(2)
        return answer


def _called(scene: Scene) -> list[str]:
    if scene.plan is None:
        return []
    names = (scene.plan.stream, scene.plan.spec.object.rpartition(".")[2], scene.plan.table.rpartition(".")[2])
    return [name for name in dict.fromkeys(names) if name and name.casefold() not in ("staged", "incoming")]
