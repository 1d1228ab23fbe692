"""Brings the tables of the SQL leaf to this version, once, whoever comes first."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, exc, inspect, text

from dativo_provider.errors import ConfigurationError
from dativo_provider.store.engine import place, reading, writing
from dativo_provider.store.schema import REVISIONS, VERSION_TABLE

__all__ = ["current_revision", "ensure_current", "upgrade_engine"]

_LOCK = 0x64617469766F  # "dativo": the key of PostgreSQL's advisory lock
_MIGRATIONS = Path(__file__).parent / "migrations"


def current_revision(engine: Engine) -> str:
    """The revision of the tables, empty when there are none."""
    with reading(engine) as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return ""
        return str(connection.scalar(text(f"select version_num from {VERSION_TABLE}")) or "")


def ensure_current(engine: Engine) -> None:
    """A file upgrades itself; a server is upgraded by who may. Raises `ConfigurationError`."""
    found = current_revision(engine)
    if found == REVISIONS[-1]:
        return
    if found and found not in REVISIONS:
        raise ConfigurationError(
            f"the metadata store is at revision {found}, which this version does not know",
            where=place(engine.url),
            remedy=f"install the newer airflow-provider-dativo that upgraded it (this one knows {REVISIONS[-1]})",
        )
    if engine.dialect.name != "sqlite":
        raise ConfigurationError(
            f"the metadata store {'is at revision ' + found if found else 'has no tables'} and needs {REVISIONS[-1]}",
            where=place(engine.url),
            remedy="run `dativo store upgrade` with a user that may create tables",
        )
    upgrade_engine(engine)


def upgrade_engine(engine: Engine) -> str:
    """The revision reached. Of several processes one upgrades and the others wait, then find nothing to do."""
    from alembic import command
    from alembic.config import Config

    if engine.dialect.name == "sqlite":
        _write_ahead(engine)
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("set local statement_timeout = 0"))
            connection.execute(text("set local lock_timeout = 0"))
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return REVISIONS[-1]


def _write_ahead(engine: Engine) -> None:
    """Readers then never block the writer. The mode stays in the file; where it cannot be, the file still works."""
    with engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        try:
            raw.execute("PRAGMA journal_mode=WAL").fetchone()  # type: ignore[union-attr, attr-defined]
        except Exception as problem:  # another process is switching it just now
            if "locked" not in str(problem):
                raise exc.DBAPIError("PRAGMA journal_mode=WAL", None, problem) from problem
