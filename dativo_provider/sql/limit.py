"""A time limit for what runs in a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Timer

import duckdb

from dativo_provider.errors import ConfigurationError

__all__ = ["TIME_LIMIT_SECONDS", "limited"]

TIME_LIMIT_SECONDS = 300.0


@contextmanager
def limited(database: duckdb.DuckDBPyConnection, seconds: float | None = None) -> Iterator[None]:
    """Ends what runs in the database once its time is over. Raises `ConfigurationError` then."""
    most = TIME_LIMIT_SECONDS if seconds is None else seconds
    late = Event()

    def stop() -> None:
        late.set()
        database.interrupt()

    timer = Timer(most, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except duckdb.Error:
        if not late.is_set():
            raise
        raise ConfigurationError(
            f"it took longer than {most:g} s and was stopped", remedy="let it look at fewer rows, or columns"
        ) from None
    finally:
        timer.cancel()
