"""DuckDB over the rows of a scene: closed to the outside, within its memory (it spills), and within its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa

from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.sql.limit import limited
from dativo_provider.sql.sandbox import connect

__all__ = ["as_json", "database", "memory_mb", "one_pass", "python_value", "rows_of", "streamed"]


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
    return {name: python_value(answer.column(name)[0]) for name in answer.column_names} if answer.num_rows else {}


def python_value(value: pa.Scalar) -> Any:
    """As Python; a day or moment Python cannot write down is its first or last."""
    try:
        return value.as_py()
    except (OverflowError, ValueError):
        edge = datetime.max if value.value > 0 else datetime.min
        if pa.types.is_date(value.type):
            return edge.date()
        return edge.replace(tzinfo=UTC) if getattr(value.type, "tz", None) else edge


def as_json(value: Any) -> Any:
    """Exact numbers lose what a double cannot hold only where they have a fraction."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, (date, datetime, time)) else value


@contextmanager
def database(scene: Scene) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database for one or several queries, gone with its spill."""
    with TemporaryFolder("checks") as spill, connect(memory_mb(scene), scene.settings.threads, spill) as found:
        yield found


def memory_mb(scene: Scene) -> int:
    """What a check may take for itself: the process has other things in memory, too."""
    return max(scene.settings.memory_limit_mb // 2 // scene.settings.parties, 64)


@contextmanager
def rows_of(scene: Scene, columns: Iterable[str]) -> Iterator[pa.RecordBatchReader | None]:
    """Some columns of the rows as one stream, to be read once; None when there is no row."""
    wanted = sorted(columns) or [field.name for field in scene.fields][:1]
    with streamed(scene.read(wanted)) as reader:
        yield reader


@contextmanager
def streamed(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema | None = None
) -> Iterator[pa.RecordBatchReader | None]:
    """What reading raises is raised here, and not what DuckDB makes of it."""
    raised: list[BaseException] = []
    watched = _watched(batches, raised)
    first = next(watched, None)
    known = schema or (first and first.schema)
    try:
        yield (
            None
            if known is None
            else pa.RecordBatchReader.from_batches(known, chain([first] if first else [], watched))
        )
    except (duckdb.Error, pa.ArrowException) as error:
        raise (raised[0] if raised else error) from None


def _watched(batches: Iterator[pa.RecordBatch], raised: list[BaseException]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except BaseException as error:
        raised.append(error)
        raise
