"""Values that are found in a published table of the same tenant. NULL refers to nothing.

Rows of this run count as well where the table is the stream's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.stream import Field
from dativo_provider.model.target import TableVersion
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Evaluator, Scene, Values, passed
from dativo_provider.quality.metrics.query import database, rows_of, streamed
from dativo_provider.quality.metrics.where import read_by, those_that_count
from dativo_provider.sql.limit import limited
from dativo_provider.sql.names import quoted

__all__ = ["EVALUATOR"]


def _judge(check: CheckSpec, scene: Scene, _: Values) -> CheckResult:
    if not scene.rows:
        return check.result("skipped", message="there was no row to check")
    lost = _lost(check, scene)
    name = f"{check.params['table']}.{', '.join(check.params['to'])}"
    if "allowed" in check.params:
        allowed = Threshold.from_dict(check.params["allowed"])
        fits, bound = allowed.holds(lost, scene.rows), f", must be {allowed}"
    else:
        fits, bound = check.tolerates(lost, scene.rows), ""
    message = f"{lost} rows refer to a value that {name} does not have{bound}" if lost or bound else ""
    return check.result(passed(fits), "scan", scene.rows, lost, lost, message)


def _lost(check: CheckSpec, scene: Scene) -> int:
    table = scene.table(check.params["table"])
    theirs = _fields(check, table)
    schema = pa.schema([pa.field(item.name, to_arrow(item.type)) for item in theirs])
    with database(scene) as found, streamed(table.read(theirs), schema) as referred:
        found.register("incoming", referred)
        _keep(found, "CREATE TABLE referred AS", check.params["to"])
        if scene.plan is not None and table.name == scene.plan.table:
            with rows_of(scene, check.params["to"]) as own:
                found.register("incoming", own)
                _keep(found, "INSERT INTO referred", check.params["to"])
        with rows_of(scene, read_by(check, scene, *check.columns)) as staged:
            found.register("staged", staged)
            with limited(found):
                return int(found.execute(_unmatched(check)).fetchall()[0][0])


def _keep(found: duckdb.DuckDBPyConnection, into: str, columns: Sequence[str]) -> None:
    with limited(found):
        found.execute(f"{into} SELECT DISTINCT {', '.join(map(quoted, columns))} FROM incoming")
    found.unregister("incoming")


def _unmatched(check: CheckSpec) -> str:
    pairs = [(quoted(name), quoted(to)) for name, to in zip(check.columns, check.params["to"], strict=True)]
    whole = those_that_count(check, *(f"{name} IS NOT NULL" for name, _ in pairs))
    same = " AND ".join(f"one.{name} = referred.{to}" for name, to in pairs)
    return f"SELECT count(*) FROM (SELECT * FROM staged {whole}) AS one ANTI JOIN referred ON {same}"


def _fields(check: CheckSpec, table: TableVersion) -> list[Field]:
    have = {item.name: item for item in table.fields}
    if missing := [name for name in check.params["to"] if name not in have]:
        raise ConfigurationError(f"{table.name} has no column '{missing[0]}' (has: {', '.join(have)})")
    return [have[name] for name in check.params["to"]]


EVALUATOR = Evaluator(_judge)
