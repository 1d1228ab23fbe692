"""MySQL and MariaDB, and what speaks their protocol with their information_schema."""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, point_in_time=True, allowed_in_cloud=False, extra="mysql")

_CONNECTION = {
    "host, port, database, user, password": "the server; `url` (`mysql://…`) says them all at once",
    "ssl": "`{mode: disabled | preferred | required | verify_ca | verify_identity, ca: file}`; default `preferred`",
    "connect_timeout, read_timeout": "seconds",
}
_OPTIONS = {
    "statement_timeout": "longest statement (`30s`, `5min`); default: the account's",
    "lock_timeout": "longest wait for a lock; default `30s`",
    "batch_size": "rows of a batch; default: about 4 MB",
    "min_slice_rows": "smallest piece that a task of its own reads; default 100,000",
    "clock": "who writes the cursor column: `server`, or `application`, whose clock may lag",
    "timezone": "zone of a cursor of type DATETIME; default: the contract's, else the earlier of UTC and the server's",
    "zero_dates": "`0000-00-00` and its like: `reject` the row (default), `null`, or the column as `text`",
}
_NOTES = (
    "The account needs SELECT on what it reads. With PROCESS as well, open transactions are seen and waited for; "
    "without it, the rows of the last `lag_seconds` wait for the next run.",
    "TINYINT(1) is a number, because it may hold 2; declare it `boolean` in the contract if it is one.",
    "BIGINT UNSIGNED is decimal(20,0), DECIMAL with more than 38 digits is text, TIME is text (it may pass 24 hours).",
    "Several tasks share a table by ranges of its first key column, where that is a number, a moment, text, bytes or a "
    "UUID; each task sees a snapshot of its own. Tables of engines without transactions are read in one piece.",
    "A query is prepared to learn its columns, never run for it.",
    "Tested with MySQL 8.0 and MariaDB 10.11. TLS `preferred` does not verify the server.",
)

CONNECTORS = tuple(
    ConnectorInfo(
        name,
        ("source", "target"),
        "database",
        f"{title} tables, views and queries",
        CAPABILITIES,
        ("updated_at", "incremental", "full_refresh"),
        reader="dativo_provider.connectors.mysql.reader:MysqlReader",
        connection=_CONNECTION,
        options=_OPTIONS,
        notes=_NOTES,
    )
    for name, title in (("mysql", "MySQL"), ("mariadb", "MariaDB"))
)
