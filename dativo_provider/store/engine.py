"""Connections of the SQL leaf, and its library's errors in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.pool import NullPool

from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DativoError,
    InternalError,
    MissingExtra,
    StorageUnavailable,
    Unsupported,
)

__all__ = ["open_engine", "place", "reading", "store_url", "translated", "writing"]

_BUSY_SECONDS = 30
_WRITE = "dativo_write"
_DENIED = ("authentication failed", "permission denied", "must be owner", "no password supplied", "readonly database")
_WRONG = ("does not exist", "not a database", "unable to open database file")


def store_url(uri: str) -> URL:
    """A SQLAlchemy URL; a plain path is a SQLite file. PostgreSQL goes through psycopg2, our optional extra."""
    try:
        url = make_url(uri if "://" in uri else f"sqlite:///{uri}")
    except (exc.ArgumentError, ValueError) as problem:
        raise ConfigurationError("the store's address is not a URL", remedy="check `store_uri`") from problem
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg2")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise Unsupported(
            f"no metadata store on {url.get_backend_name()}", where=place(url), remedy="use SQLite or PostgreSQL"
        )
    return url


def place(url: URL) -> str:
    """The address without its password."""
    return url.render_as_string(hide_password=True)


def open_engine(url: URL) -> Engine:
    """Connects at the first use. Nothing is pooled: a step asks the store a few times in an hour."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    if url.get_driver_name() == "psycopg2" and find_spec("psycopg2") is None:
        raise MissingExtra.named("postgres", "a metadata store on PostgreSQL")
    timeouts = {"connect_timeout": 5, "options": "-c statement_timeout=30000 -c lock_timeout=20000"}
    arguments = {name: value for name, value in timeouts.items() if name not in url.query}
    return create_engine(url, poolclass=NullPool, connect_args=arguments, hide_parameters=True)


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        with translated(url):
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _manual_transactions(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # Python's driver would commit before DDL
        connection.execute("PRAGMA synchronous=NORMAL")  # with WAL: durable against crashes of the process

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A reader that later writes cannot wait for the lock (SQLITE_BUSY at once); a writer says so first.
        connection.exec_driver_sql(
            "BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITE) else "BEGIN DEFERRED"
        )

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    with translated(engine.url), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed at the end."""
    with translated(engine.url), engine.connect() as connection:
        connection = connection.execution_options(**{_WRITE: True})
        with connection.begin():
            yield connection


@contextmanager
def translated(url: URL) -> Iterator[None]:
    try:
        yield
    except exc.DBAPIError as problem:
        raise _ours(problem, place(url)) from problem
    except exc.SQLAlchemyError as problem:
        raise StorageUnavailable(str(problem), where=place(url), remedy="check the metadata store") from problem
    except OSError as problem:
        text = problem.strerror or str(problem)
        raise CredentialError(text, where=place(url), remedy="choose a folder that can be written") from problem


def _ours(problem: exc.DBAPIError, where: str) -> DativoError:
    text = str(problem.orig).strip().splitlines()[0] if str(problem.orig).strip() else type(problem.orig).__name__
    if any(word in text for word in _DENIED):
        return CredentialError(text, where=where, remedy="fix user, password or rights of the metadata store")
    if any(word in text for word in _WRONG):
        return ConfigurationError(text, where=where, remedy="check `store_uri`, then run `dativo store upgrade`")
    if isinstance(problem, (exc.DataError, exc.IntegrityError, exc.ProgrammingError)):
        return InternalError(text, where=where, remedy="please report this")
    return StorageUnavailable(text, where=where, remedy="check that the metadata store is up and reachable")
