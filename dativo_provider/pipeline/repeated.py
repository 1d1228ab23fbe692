"""Which rows of the staged files repeat a key: found by one window over each key, kept in a table that spills."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Plan, StagedFile
from dativo_provider.model.target import Target

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from dativo_provider.quality.metrics.base import Scene

__all__ = ["Repeated", "RepeatedRows", "find_repeated"]

_FILE, _ROW, _PLACE = "_dativo_file", "_dativo_row", "_dativo_place"


@dataclass(frozen=True)
class RepeatedRows:
    """Of one file: numbers of rows, rising, and the ids of the checks that each fails."""

    rows: pa.Array
    reasons: pa.Array

    def within(self, start: int, stop: int) -> RepeatedRows:
        first, last = bisect_left(_Values(self.rows), start), bisect_left(_Values(self.rows), stop)
        return RepeatedRows(self.rows.slice(first, last - first), self.reasons.slice(first, last - first))


class _Values(Sequence[int]):
    """An Arrow array to be searched."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    def __getitem__(self, at: int) -> int:  # type: ignore[override]
        return int(self._array[at].as_py())


class Repeated:
    """Rows that fail, of however many files: only those of one file are in memory at a time."""

    def __init__(self, found: duckdb.DuckDBPyConnection) -> None:
        self._found = found

    @property
    def files(self) -> list[int]:
        """Which of the files hold one, by their places."""
        return [int(at) for (at,) in self._found.execute("SELECT DISTINCT file FROM repeated ORDER BY 1").fetchall()]

    @property
    def count(self) -> int:
        return int(self._found.execute("SELECT count(DISTINCT (file, row)) FROM repeated").fetchall()[0][0])

    @property
    def reasons(self) -> Mapping[str, int]:
        """How many rows fail each check."""
        return dict(self._found.execute("SELECT reason, count(*) FROM repeated GROUP BY 1").fetchall())

    def of(self, file: int) -> RepeatedRows:
        query = f"SELECT row, list(reason ORDER BY reason) AS reasons FROM repeated WHERE file = {file:d}"
        answer = self._found.sql(f"{query} GROUP BY row ORDER BY row").to_arrow_table().combine_chunks()
        return RepeatedRows(*(answer.column(name).chunk(0) for name in ("row", "reasons")))


@contextmanager
def find_repeated(
    checks: Sequence[CheckSpec], scene: Scene, files: Sequence[StagedFile], plan: Plan, target: Target
) -> Iterator[Repeated]:
    """Raises what reading does, `ConfigurationError` and `duckdb.Error`."""
    from dativo_provider.quality.metrics.query import database

    with database(scene) as found:
        found.execute("CREATE TABLE repeated (file INTEGER, row BIGINT, reason VARCHAR)")
        for check in checks:
            _find(check, scene, files, plan, target, found)
        yield Repeated(found)


def _find(
    check: CheckSpec,
    scene: Scene,
    files: Sequence[StagedFile],
    plan: Plan,
    target: Target,
    found: duckdb.DuckDBPyConnection,
) -> None:
    from dativo_provider.quality.metrics.published import find_known
    from dativo_provider.quality.metrics.query import streamed
    from dativo_provider.quality.metrics.where import read_by, those_that_count
    from dativo_provider.sql.limit import limited
    from dativo_provider.sql.names import quoted

    keys = [quoted(name) for name in check.columns]
    whole, listed = those_that_count(check, *(f"{key} IS NOT NULL" for key in keys)), ", ".join(keys)
    repeated = f"{_PLACE} > 1"
    if check.params.get("scope") == "table" and TRAITS[plan.job.target.mode].adds:
        find_known(check, scene, found)
        repeated += f" OR ({listed}) IN (SELECT ({listed}) FROM known)"
    order = f"row_number() OVER (PARTITION BY {listed} ORDER BY {_FILE}, {_ROW}) AS {_PLACE}"
    numbered = _numbered(target, plan, files, sorted(read_by(check, scene, *check.columns)))
    with streamed(numbered) as rows, limited(found):
        found.register("rows", rows)
        query = f"SELECT {_FILE}, {_ROW}, $reason FROM (SELECT *, {order} FROM rows {whole}) WHERE {repeated}"
        found.execute(f"INSERT INTO repeated {query}", {"reason": check.id})
    found.unregister("rows")
    found.execute("DROP TABLE IF EXISTS known")
    found.execute("DROP TABLE IF EXISTS keys")


def _numbered(
    target: Target, plan: Plan, files: Sequence[StagedFile], columns: Sequence[str]
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for at, file in enumerate(files):
        seen = 0
        for batch in target.read_staged(plan, [file], columns):
            numbers = pa.arange(seen, seen + batch.num_rows)
            yield batch.append_column(_FILE, pa.repeat(pa.scalar(at), batch.num_rows)).append_column(_ROW, numbers)
            seen += batch.num_rows
