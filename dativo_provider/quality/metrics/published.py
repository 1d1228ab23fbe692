"""Keys of the run that are published already: found in the files whose bounds and partitions let them hold one.

No copy of the keys is kept anywhere: the run's own are in a table that spills and goes, the published ones pass by.
"""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, date, datetime
from decimal import Decimal

import duckdb

from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.target import FEW_KEYS
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.metrics.query import database, python_value, rows_of, streamed
from dativo_provider.quality.metrics.where import read_by, those_that_count
from dativo_provider.sql.limit import limited
from dativo_provider.sql.names import quoted

__all__ = ["few_of", "find_known", "known_keys", "load_keys", "ranges_of"]


def known_keys(check: CheckSpec, scene: Scene) -> tuple[int, str]:
    """How many different keys of the run the stream's table held before it, and where that was looked for."""
    with database(scene) as found:
        looked = find_known(check, scene, found)
        return int(found.execute("SELECT count(*) FROM known").fetchall()[0][0]), looked


def find_known(check: CheckSpec, scene: Scene, found: duckdb.DuckDBPyConnection) -> str:
    """Leaves those keys in the table `known`; says how many files were read for it, and why no more."""
    if not load_keys(check, scene, found):
        found.execute("CREATE TABLE known (none BOOLEAN)")
        return ""
    before = scene.published(ranges_of(check, found), few_of(check, found))
    with streamed(iter(before.rows), before.rows.schema) as published, limited(found):
        found.register("published", published)
        names = ", ".join(f"published.{quoted(name)}" for name in check.columns)
        same = " AND ".join(f"keys.{quoted(name)} = published.{quoted(name)}" for name in check.columns)
        # the right side is what DuckDB keeps in memory: the run's keys, however many rows are published
        found.execute(f"CREATE TABLE known AS SELECT DISTINCT {names} FROM published SEMI JOIN keys ON {same}")
    return str(before)


def load_keys(check: CheckSpec, scene: Scene, found: duckdb.DuckDBPyConnection) -> bool:
    """Puts the different keys of the run into the table `keys`; False when there is none."""
    names = [quoted(name) for name in check.columns]
    whole = those_that_count(check, *(f"{name} IS NOT NULL" for name in names))
    with rows_of(scene, read_by(check, scene, *check.columns)) as staged, limited(found):
        if staged is None:
            return False
        found.register("staged", staged)
        found.execute(f"CREATE TABLE keys AS SELECT DISTINCT {', '.join(names)} FROM staged {whole}")
    return bool(found.execute("SELECT count(*) FROM keys").fetchall()[0][0])


def ranges_of(check: CheckSpec, found: duckdb.DuckDBPyConnection) -> dict[str, tuple[object, object]]:
    ends = ", ".join(f"min({quoted(name)}), max({quoted(name)})" for name in check.columns)
    row = [python_value(column[0]) for column in found.sql(f"SELECT {ends} FROM keys").to_arrow_table().columns]
    return {name: (_end(row[2 * at]), _end(row[2 * at + 1])) for at, name in enumerate(check.columns)}


def few_of(check: CheckSpec, found: duckdb.DuckDBPyConnection) -> dict[str, list[object]]:
    """The keys themselves, by column, where they are few; of the columns whose values files can be asked for."""
    names = ", ".join(map(quoted, check.columns))
    rows = found.sql(f"SELECT {names} FROM keys LIMIT {FEW_KEYS + 1}").to_arrow_table()
    if rows.num_rows > FEW_KEYS:
        return {}
    columns = {name: [python_value(value) for value in rows.column(name)] for name in check.columns}
    return {name: values for name, values in columns.items() if all(map(_askable, values))}


def _askable(value: object) -> bool:
    return isinstance(value, (int, str, date)) and not isinstance(value, (bool, datetime))


def _end(value: object) -> object:
    """None, which bounds nothing, where a comparison could mislead: NaN, truth, moments Python cannot hold."""
    if isinstance(value, bool) or not isinstance(value, (int, str, bytes, date, Decimal)):
        return None
    return None if isinstance(value, date) and value.year in (MINYEAR, MAXYEAR) else value
