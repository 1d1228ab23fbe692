"""SQLAlchemy over a DuckDB connection we hand in, as Great Expectations needs it.

It poses as PostgreSQL, because Great Expectations asks for the dialect's name before it uses regular expressions.
Its cursor fetches at once: Great Expectations rolls back before it reads, and DuckDB drops a pending result then.
`~` becomes `regexp_matches`, for DuckDB's own `~` matches whole values, and PostgreSQL's any part.
https://docs.sqlalchemy.org/en/20/core/internals.html#sqlalchemy.engine.interfaces.Dialect
"""

from __future__ import annotations

import re
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect, PGIdentifierPreparer
from sqlalchemy.pool import StaticPool

CONNECTIONS: dict[str, duckdb.DuckDBPyConnection] = {}
URL = "dativo+duckdb:///"

_TYPES: dict[str, Any] = {
    "BOOLEAN": sa.BOOLEAN, "TINYINT": sa.SMALLINT, "SMALLINT": sa.SMALLINT, "INTEGER": sa.INTEGER,
    "BIGINT": sa.BIGINT, "HUGEINT": sa.NUMERIC, "FLOAT": sa.FLOAT, "DOUBLE": sa.DOUBLE, "VARCHAR": sa.VARCHAR,
    "DATE": sa.DATE, "TIME": sa.TIME, "TIMESTAMP": sa.TIMESTAMP, "BLOB": sa.LargeBinary, "UUID": sa.UUID,
    "TIMESTAMP WITH TIME ZONE": sa.TIMESTAMP,
}  # fmt: skip


class Cursor:
    arraysize, rowcount, lastrowid = 1, -1, None

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.description: list[tuple[Any, ...]] | None = None
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, text: str, values: Any = None) -> Cursor:
        done = self._connection.execute(text, list(values) if values else None)
        columns = done.description or []
        self.description = [(column[0], *(None,) * 6) for column in columns]
        self._rows = done.fetchall() if columns else []
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows[: size or 1], self._rows[size or 1 :]
        return taken

    def fetchall(self) -> list[tuple[Any, ...]]:
        taken, self._rows = self._rows, []
        return taken

    def close(self) -> None: ...


class Connection:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def cursor(self) -> Cursor:
        return Cursor(self._connection)

    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


class Module:
    """DBAPI 2.0, as far as SQLAlchemy looks."""

    paramstyle, apilevel, threadsafety = "qmark", "2.0", 1

    def __getattr__(self, name: str) -> Any:
        return getattr(duckdb, name)

    @staticmethod
    def connect(name: str) -> Connection:
        return Connection(CONNECTIONS[name])


class Compiler(PGCompiler):
    def visit_custom_op_binary(self, element: Any, operator: Any, **more: Any) -> str:
        if operator.opstring not in ("~", "!~"):
            return str(super().visit_custom_op_binary(element, operator, **more))
        found = self.visit_regexp_match_op_binary(element, operator, **more)
        return found if operator.opstring == "~" else f"NOT {found}"

    def visit_regexp_match_op_binary(self, binary: Any, operator: Any, **more: Any) -> str:
        return f"regexp_matches({self.process(binary.left, **more)}, {self.process(binary.right, **more)})"

    def visit_not_regexp_match_op_binary(self, binary: Any, operator: Any, **more: Any) -> str:
        return f"NOT {self.visit_regexp_match_op_binary(binary, operator, **more)}"


class Preparer(PGIdentifierPreparer):
    """Quotes every name: DuckDB reserves words that PostgreSQL does not (`at`)."""

    def _requires_quotes(self, value: str) -> bool:
        return True


class DuckDBDialect(PGDialect):
    name, driver = "postgresql", "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_uuid = False
    insert_returning = False
    statement_compiler = Compiler
    preparer = Preparer

    @classmethod
    def import_dbapi(cls) -> Any:
        return Module()

    @classmethod
    def get_pool_class(cls, url: Any) -> Any:
        return StaticPool

    def create_connect_args(self, url: Any) -> tuple[list[Any], dict[str, Any]]:
        return [], {"name": url.database}

    def initialize(self, connection: Any) -> None:
        self.default_schema_name, self.server_version_info = "main", (15,)

    def on_connect(self) -> None:
        return None

    def do_ping(self, dbapi_connection: Any) -> bool:
        return True

    def get_isolation_level(self, dbapi_connection: Any) -> Any:
        return "AUTOCOMMIT"

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None: ...

    def get_default_isolation_level(self, dbapi_conn: Any) -> Any:
        return "AUTOCOMMIT"

    def _ask(self, connection: Any, text: str, *values: Any) -> list[tuple[Any, ...]]:
        return connection.connection.dbapi_connection.cursor().execute(text, values).fetchall()  # type: ignore[no-any-return]

    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **more: Any) -> bool:
        return table_name in [*self.get_table_names(connection, schema), *self.get_view_names(connection, schema)]

    def get_schema_names(self, connection: Any, **more: Any) -> list[str]:
        return [row[0] for row in self._ask(connection, "SELECT DISTINCT schema_name FROM information_schema.schemata")]

    def get_table_names(self, connection: Any, schema: str | None = None, **more: Any) -> list[str]:
        return self._names(connection, "BASE TABLE", schema)

    def get_view_names(self, connection: Any, schema: str | None = None, **more: Any) -> list[str]:
        return self._names(connection, "VIEW", schema)

    def _names(self, connection: Any, kind: str, schema: str | None) -> list[str]:
        text = "SELECT table_name FROM information_schema.tables WHERE table_type = ? AND table_schema = ?"
        return [row[0] for row in self._ask(connection, text, kind, schema or "main")]

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **more: Any) -> list[Any]:
        text = (
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns "
            "WHERE table_name = ? AND table_schema = ? ORDER BY ordinal_position"
        )
        return [
            {"name": name, "type": _type(kind), "nullable": nullable == "YES", "default": None, "autoincrement": False}
            for name, kind, nullable in self._ask(connection, text, table_name, schema or "main")
        ]

    def get_multi_columns(  # type: ignore[override]
        self, connection: Any, schema: Any, filter_names: Any, scope: Any = None, kind: Any = None, **more: Any
    ) -> Any:
        names = filter_names or [*self.get_table_names(connection, schema), *self.get_view_names(connection, schema)]
        return [((schema, name), self.get_columns(connection, name, schema)) for name in names]

    def get_pk_constraint(self, *_: Any, **__: Any) -> Any:
        return {"constrained_columns": [], "name": None}

    def get_foreign_keys(self, *_: Any, **__: Any) -> list[Any]:
        return []

    def get_indexes(self, *_: Any, **__: Any) -> list[Any]:
        return []

    def get_multi_pk_constraint(self, *_: Any, **__: Any) -> Any:
        return []

    def get_table_comment(self, *_: Any, **__: Any) -> Any:
        return {"text": None}


def _type(kind: str) -> Any:
    decimal = re.match(r"DECIMAL\((\d+),(\d+)\)", kind)
    return sa.NUMERIC(int(decimal[1]), int(decimal[2])) if decimal else _TYPES.get(kind, sa.types.NullType)()


registry.register("dativo.duckdb", __name__, "DuckDBDialect")
