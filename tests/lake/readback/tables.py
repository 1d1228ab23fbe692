"""Tables written in every mode, and beside each a model in memory of the rows it must hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from dativo_provider.lake.maintain import JOBS
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from tests.lake.maintain.support import age, maintain
from tests.lake.support import Lake, batch, job, settings

Row = dict[str, Any]
Rows = list[Row]

START = datetime(1969, 12, 30, 22, 30, tzinfo=UTC)
FIELDS = (
    Field("id", "long", required=True),
    Field("value", "string"),
    Field("moment", "timestamptz"),
    Field("amount", "decimal(12,2)"),
    Field("small", "int"),
)
WIDER = (*FIELDS[:3], Field("amount", "decimal(18,2)"), Field("small", "long"), Field("note", "string"))
ROWS: Rows = [
    {
        "id": n,
        "value": f"name-{n % 7}" if n % 11 else None,
        "moment": START + timedelta(hours=5 * n),
        "amount": n * 3 - 100,
        "small": n,
    }
    for n in range(400)
]
AGAIN: Rows = [{**row, "moment": row["moment"] + timedelta(hours=1), "amount": 7} for row in ROWS[::5]]
EVOLVED: Rows = [
    {**row, "moment": row["moment"] + timedelta(hours=2), "amount": 10**12, "small": 2**40, "note": "new"}
    for row in ROWS[1::5]
]
STAGES = ("again", "evolved", "cared")


def all_of(have: Rows, new: Rows) -> Rows:
    return have + new


def only_new(have: Rows, new: Rows) -> Rows:
    return new


def newest_of_each_key(have: Rows, new: Rows) -> Rows:
    return list(({row["id"]: row for row in have} | {row["id"]: row for row in new}).values())


def months_replaced(have: Rows, new: Rows) -> Rows:
    replaced = {f"{row['moment']:%Y-%m}" for row in new}
    return [row for row in have if f"{row['moment']:%Y-%m}" not in replaced] + new


@dataclass(frozen=True)
class Mode:
    """`model` says what the table holds after a run brought new rows."""

    partition: PartitionSpec
    model: Callable[[Rows, Rows], Rows]
    more: dict[str, Any] = field(default_factory=dict)


MODES = {
    "append": Mode(PartitionSpec("id", "bucket[8]"), all_of),
    "replace": Mode(PartitionSpec("value"), only_new),
    "merge": Mode(PartitionSpec("id", "bucket[8]"), newest_of_each_key),
    "delete_insert": Mode(PartitionSpec("moment", "month"), months_replaced),
    "scd2": Mode(PartitionSpec("is_current"), all_of, {"order_by": "moment"}),
}


@dataclass
class Grown:
    """One mode's table, taken from stage to stage; `expected` are its rows, `current` those of a history that hold."""

    name: str
    where: Settings
    expected: Rows = field(default_factory=list)
    current: Rows = field(default_factory=list)

    def reach(self, stage: str) -> None:
        if stage == "cared":
            self._maintain()
        elif stage == "evolved":
            self._run(WIDER, EVOLVED)
        else:
            self._run(FIELDS, ROWS)
            self._run(FIELDS, AGAIN)

    def _run(self, fields: Sequence[Field], rows: Rows) -> None:
        self._lake(fields).run(rows, bad=[1, 2])
        self.expected = MODES[self.name].model(self.expected, rows)
        self.current = newest_of_each_key(self.current, rows)

    def _maintain(self) -> None:
        age(Path(self.where.home))
        for each in JOBS:
            maintain(self._lake(WIDER), each, later=2)

    def _lake(self, fields: Sequence[Field]) -> Lake:
        mode = MODES[self.name]
        made = job(name=self.name, table=self.name, mode=self.name, partitioning=(mode.partition,), **mode.more)
        return Lake(self.where, made, fields)

    @property
    def table(self) -> Any:
        lake = self._lake(FIELDS)
        return lake.target.table(lake.name())


def as_arrow(rows: Rows, fields: Sequence[Field] = WIDER) -> pa.Table:
    return pa.Table.from_batches([batch(rows, fields)])


def grown(home: Path) -> dict[str, Grown]:
    return {name: Grown(name, settings(home / name)) for name in MODES}
