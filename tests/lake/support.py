"""A job, its plan and its rows, as small as they can be, for tests of the lake."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from dativo_provider.model.books import Books
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.marks import DELETE, OP
from dativo_provider.model.run import Lane, Manifest, Plan, Published, RunRequest, State
from dativo_provider.model.settings import CatalogSettings, Settings
from dativo_provider.model.stream import Cursor, Field, ReadResult, Slice, Window
from dativo_provider.model.tables import QUARANTINE_FIELDS
from dativo_provider.model.types import to_arrow
from dativo_provider.pipeline.targets import open_target

FIELDS = (Field("id", "long", required=True), Field("value", "string"), Field("at", "timestamptz"))
TARGET: dict[str, Any] = {}  # what a suite says of every target it makes
STARTED = "2026-01-02T03:04:05+00:00"


def settings(home: Any, **catalog: Any) -> Settings:
    """Embedded under `home`, unless told otherwise."""
    made = CatalogSettings(**{"warehouse": f"file://{home}/warehouse", **catalog})
    return Settings(home=str(home), catalog=made)


def job(
    tenant: str = "acme",
    name: str = "orders",
    *,
    table: str = "orders",
    contract: ContractSpec | None = None,
    key: tuple[str, ...] = ("id",),
    **target: Any,
) -> JobSpec:
    stream = StreamSpec("orders", "public.orders", table, contract or ContractSpec("orders", "1.0.0"), key=key)
    wanted = TargetSpec(**{"system_columns": False, **TARGET, **target})
    return JobSpec(tenant, name, name, SourceSpec("toy"), wanted, (stream,))


class Lake:
    """One process's view of the lake of one job."""

    def __init__(self, where: Settings, made: JobSpec | None = None, fields: Sequence[Field] = FIELDS) -> None:
        self.settings, self.job, self.fields = where, made or job(), tuple(fields)
        self.target: Any = open_target(self.job, RunContext(self.settings))

    @property
    def spec(self) -> StreamSpec:
        return self.job.streams[0]

    def plan(self, lane: Lane | None = None, base: State | None = None, **more: Any) -> Plan:
        lane = lane or Lane()
        table = self.target.prepare(self.job, self.spec, self.fields)
        plan_id = f"p{secrets.token_hex(6)}"
        made = Plan(
            plan_id=plan_id,
            run_id=f"run-{plan_id}",
            job=self.job,
            stream=self.spec.name,
            lane=lane,
            request=RunRequest(),
            table=table.table,
            quarantine_table=table.quarantine_table,
            table_location=table.location,
            quarantine_location=table.quarantine_location,
            folder=f"{self.settings.catalog.warehouse}/_dativo/runs/{plan_id}",
            fields=self.fields,
            checks=(),
            window=Window(),
            slices=(Slice(0, self.spec.name),),
            base=base or self.target.state(self.job, self.spec, lane),
            created_at=STARTED,
        )
        return replace(made, **more)

    def extract(
        self,
        plan: Plan,
        rows: Sequence[Any],
        bad: Sequence[int] = (),
        *,
        piece: int = 0,
        attempt: str = "1",
        marks: Sequence[Mapping[str, Any]] = (),
    ) -> Manifest:
        data = self.target.stage(plan, piece, attempt, "data")
        for start in range(0, len(rows), 1000):
            data.write(batch(rows[start : start + 1000], self.fields))
        aside = self.target.stage(plan, piece, attempt, "quarantine")
        if bad:
            aside.write(quarantined(plan, bad))
        books = Books(extracted=len(rows) + len(bad), accepted=len(rows), quarantined=len(bad), produced=len(rows))
        read = ReadResult(books.extracted)
        marked = self.target.stage(plan, piece, attempt, "marks")
        if marks:
            marked.write(mark_batch(marks, self.fields))
        files = data.close(), aside.close()
        return Manifest(plan.plan_id, piece, attempt, *files, books, read=read, marks=marked.close())

    def run(
        self,
        rows: Sequence[Any],
        bad: Sequence[int] = (),
        cursor: Any = None,
        lane: Lane | None = None,
        marks: Sequence[Mapping[str, Any]] = (),
        **more: Any,
    ) -> Published:
        plan = self.plan(lane, **more)
        made = self.extract(plan, rows, bad, marks=marks)
        return self.publish(plan, [made], cursor)

    def publish(self, plan: Plan, manifests: Sequence[Manifest], cursor: Any = None) -> Published:
        return self.target.publish(
            plan, manifests, Cursor({"value": cursor}) if cursor is not None else plan.base.cursor
        )

    def state(self, lane: Lane | None = None) -> State:
        return self.target.state(self.job, self.spec, lane or Lane())

    def name(self, quarantine: bool = False) -> str:
        return str(self.target.name_of(self.job, self.spec)) + ("_quarantine" if quarantine else "")

    def ids(self, column: str = "id") -> list[Any]:
        return sorted(self.target.table(self.name()).scan(selected_fields=(column,)).to_arrow()[column].to_pylist())

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Of the table, in order; NULLs last."""
        found = (
            self.target.table(self.name()).scan(selected_fields=columns).to_arrow().select(list(columns)).to_pylist()
        )
        return sorted((tuple(row.values()) for row in found), key=lambda row: [(v is None, v) for v in row])

    def quarantine(self) -> list[str]:
        table = self.target.table(self.name(quarantine=True))
        return sorted(table.scan(selected_fields=("row_id",)).to_arrow()["row_id"].to_pylist())


def batch(rows: Sequence[Any], fields: Sequence[Field] = FIELDS) -> pa.RecordBatch:
    """Of mappings, or of ids."""
    full = [row if isinstance(row, Mapping) else {"id": row, "value": f"v{row}"} for row in rows]
    schema = pa.schema([(field.name, to_arrow(field.type)) for field in fields])
    return pa.RecordBatch.from_pylist([{name: row.get(name) for name in schema.names} for row in full], schema=schema)


def mark_batch(marks: Sequence[Mapping[str, Any]], fields: Sequence[Field] = FIELDS) -> pa.RecordBatch:
    """Of mappings: the key, what it says (`delete` when nothing), and perhaps an order."""
    types = {field.name: to_arrow(field.type) for field in fields}
    names = [name for name in types if any(name in mark for mark in marks)]
    schema = pa.schema([*((name, types[name]) for name in names), (OP, pa.string())])
    return pa.RecordBatch.from_pylist([{OP: DELETE, **mark} for mark in marks], schema=schema)


def quarantined(plan: Plan, ids: Sequence[int]) -> pa.RecordBatch:
    schema = pa.schema([(field.name, to_arrow(field.type)) for field in QUARANTINE_FIELDS])
    stamp = pa.scalar(plan.created_at).cast(pa.timestamp("us", "UTC")).as_py()
    rows = [
        {
            "run": plan.plan_id,
            "stream": plan.stream,
            "row_id": f"r{number}",
            "source_reference": f"file:{number}",
            "raw": f'{{"id": {number}}}',
            "kind": "quarantined",
            "reasons": ["id.range"],
            "contract_version": "1.0.0",
            "quarantined_at": stamp,
            "expires_at": None,
        }
        for number in ids
    ]
    return pa.RecordBatch.from_pylist(rows, schema=schema)
