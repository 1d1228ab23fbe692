"""DuckDB over the rows of a scene: closed to the outside, within its memory (it spills), and within its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain
from threading import Event, Timer
from typing import Any

import duckdb
import pyarrow as pa

from dativo_provider.errors import ConfigurationError
from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.sql.sandbox import connect

__all__ = ["TIME_LIMIT_SECONDS", "database", "limited", "one_pass", "rows_of"]

TIME_LIMIT_SECONDS = 300.0


def one_pass(scene: Scene, columns: Iterable[str], query: str) -> dict[str, Any]:
    """The first row of `query` by column. It may read the table `staged` once; empty when there is no row to read.

    Raises `duckdb.Error`, `ConfigurationError` beyond the time limit, and what `scene.read` raises.
    """
    with database(scene) as found, rows_of(scene, columns) as reader:
        if reader is None:
            return {}
        found.register("staged", reader)
        with limited(found):
            answer = found.sql(query).to_arrow_table()
    return {name: _python(answer.column(name)[0]) for name in answer.column_names} if answer.num_rows else {}


def _python(value: pa.Scalar) -> Any:
    """As Python; a day or moment Python cannot write down is its first or last."""
    try:
        return value.as_py()
    except (OverflowError, ValueError):
        edge = datetime.max if value.value > 0 else datetime.min
        if pa.types.is_date(value.type):
            return edge.date()
        return edge.replace(tzinfo=UTC) if getattr(value.type, "tz", None) else edge


@contextmanager
def database(scene: Scene) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database for one or several queries, gone with its spill."""
    memory = max(scene.settings.memory_limit_mb // 2 // scene.settings.parties, 64)
    with TemporaryFolder("checks") as spill, connect(memory, scene.settings.threads, spill) as found:
        yield found


@contextmanager
def rows_of(scene: Scene, columns: Iterable[str]) -> Iterator[pa.RecordBatchReader | None]:
    """The rows as one stream. What reading raises is raised here, and not what DuckDB makes of it."""
    wanted = sorted(columns) or [field.name for field in scene.fields][:1]
    raised: list[BaseException] = []
    batches = _watched(scene.read(wanted), raised)
    first = next(batches, None)
    try:
        yield None if first is None else pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))
    except (duckdb.Error, pa.ArrowException) as error:
        raise (raised[0] if raised else error) from None


def _watched(batches: Iterator[pa.RecordBatch], raised: list[BaseException]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except BaseException as error:
        raised.append(error)
        raise


@contextmanager
def limited(found: duckdb.DuckDBPyConnection, seconds: float | None = None) -> Iterator[None]:
    """Ends what runs in the database once its time is over."""
    most = TIME_LIMIT_SECONDS if seconds is None else seconds
    late = Event()

    def stop() -> None:
        late.set()
        found.interrupt()

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
