"""Values that are found in a published table of the same tenant. NULL refers to nothing.

Rows of this run count as well where the table is the stream's own.
"""

from __future__ import annotations

import duckdb
import pyarrow as pa

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.target import TableVersion
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, passed
from dativo_provider.quality.metrics.published import few_of, load_keys, ranges_of
from dativo_provider.quality.metrics.query import database, rows_of, streamed
from dativo_provider.quality.metrics.where import read_by, those_that_count
from dativo_provider.sql.limit import limited
from dativo_provider.sql.names import quoted

__all__ = ["EVALUATOR"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    if not scene.rows:
        return check.result("skipped", message="there was no row to check")
    lost, looked = _lost(check, scene)
    name = f"{check.params['table']}.{', '.join(check.params['to'])}"
    if "allowed" in check.params:
        allowed = Threshold.from_dict(check.params["allowed"])
        fits, bound = allowed.holds(lost, scene.rows), f", must be {allowed}"
    else:
        fits, bound = check.tolerates(lost, scene.rows), ""
    found = f"{lost} rows refer to a value that {name} does not have{bound}" if lost or bound else ""
    message = "; ".join(part for part in (found, looked) if part)
    return check.result(passed(fits), "scan", scene.rows, lost, lost, message)


def _lost(check: CheckSpec, scene: Scene) -> tuple[int, str]:
    """Rows without a match, and where it was looked for. What is kept of the table are the run's own values."""
    table = scene.table(check.params["table"])
    _check_fields(check, table)
    with database(scene) as found:
        if not load_keys(check, scene, found):
            return 0, ""
        published = table.within(*_sought(check, scene, table, found))
        found.execute("CREATE TABLE referred AS SELECT * FROM keys LIMIT 0")
        with streamed(iter(published.rows), published.rows.schema) as incoming:
            _keep(check, found, incoming)
        if scene.plan is not None and table.name == scene.plan.table:
            with rows_of(scene, check.params["to"]) as own:
                _keep(check, found, own)
        with rows_of(scene, read_by(check, scene, *check.columns)) as staged, limited(found):
            found.register("staged", staged)
            return int(found.execute(_unmatched(check)).fetchall()[0][0]), str(published)


def _sought(
    check: CheckSpec, scene: Scene, table: TableVersion, found: duckdb.DuckDBPyConnection
) -> tuple[dict[str, tuple[object, object]], dict[str, list[object]]]:
    """Ranges and, where they are few, values by the table's columns; of columns of another type nothing is known."""
    ours, theirs = ({item.name: item.type for item in fields} for fields in (scene.fields, table.fields))
    pairs = list(zip(check.columns, check.params["to"], strict=True))
    alike = {name for name, to in pairs if ours.get(name) == theirs[to]}
    ranges, few = ranges_of(check, found), few_of(check, found)
    return (
        {to: ranges[name] if name in alike else (None, None) for name, to in pairs},
        {to: few[name] for name, to in pairs if name in alike and name in few},
    )


def _keep(check: CheckSpec, found: duckdb.DuckDBPyConnection, incoming: pa.RecordBatchReader | None) -> None:
    """Of the rows those that the run refers to."""
    if incoming is None:
        return
    found.register("incoming", incoming)
    pairs = [(quoted(name), quoted(to)) for name, to in zip(check.columns, check.params["to"], strict=True)]
    columns = ", ".join(f"incoming.{to}" for _, to in pairs)
    same = " AND ".join(f"keys.{name} = incoming.{to}" for name, to in pairs)
    with limited(found):
        found.execute(f"INSERT INTO referred SELECT DISTINCT {columns} FROM incoming SEMI JOIN keys ON {same}")
    found.unregister("incoming")


def _unmatched(check: CheckSpec) -> str:
    names = [quoted(name) for name in check.columns]
    whole = those_that_count(check, *(f"{name} IS NOT NULL" for name in names))
    same = " AND ".join(f"one.{name} = referred.{name}" for name in names)
    return f"SELECT count(*) FROM (SELECT * FROM staged {whole}) AS one ANTI JOIN referred ON {same}"


def _check_fields(check: CheckSpec, table: TableVersion) -> None:
    have = {item.name for item in table.fields}
    if missing := [name for name in check.params["to"] if name not in have]:
        raise ConfigurationError(f"{table.name} has no column '{missing[0]}' (has: {', '.join(sorted(have))})")


EVALUATOR = Evaluator(_judge)
