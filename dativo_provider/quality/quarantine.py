"""Rows set aside, as the quarantine table keeps them: the source's own values, and why they did not pass.

`raw` is the row as JSON before cast and transform. Numbers that JSON readers would round, moments, bytes (`\\x…`)
and NaN are text. The row id is the same in every attempt: a hash of stream, origin and position, or of stream,
origin and content where rows have no position.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa

from dativo_provider.model.batch import Batch, Reject
from dativo_provider.model.run import Plan
from dativo_provider.model.tables import QUARANTINE_FIELDS
from dativo_provider.model.types import to_arrow
from dativo_provider.quality.raw import columns_as_json

__all__ = ["MASKED", "QUARANTINE_SCHEMA", "RETENTION_DAYS", "expires_at", "quarantined_rows", "rejected_rows"]

RETENTION_DAYS = 30
MASKED = "***"
QUARANTINE_SCHEMA = pa.schema(
    [pa.field(item.name, to_arrow(item.type), nullable=not item.required) for item in QUARANTINE_FIELDS]
)


def quarantined_rows(
    plan: Plan,
    batch: Batch,
    bad: pa.BooleanArray,
    reasons: Sequence[Sequence[str]],
    masked: Collection[str] = (),
) -> pa.RecordBatch:
    """The `bad` rows of a source batch. Values of `masked` columns are written as `***`."""
    raw = [orjson.dumps(row).decode() for row in _rows(batch.data, bad, frozenset(masked))]
    ids, references = _identity(batch, bad, raw)
    return _table(plan, "quarantined", ids, references, raw, reasons)


def rejected_rows(plan: Plan, rejects: Iterable[Reject]) -> pa.RecordBatch:
    """Source text that is no row at all, as it stood."""
    given = list(rejects)
    return _table(
        plan,
        "rejected",
        [row_id(plan.stream, reject.origin, reject.position, reject.raw) for reject in given],
        [f"{reject.origin}:{reject.position}" for reject in given],
        [reject.raw for reject in given],
        [[reject.reason] for reject in given],
    )


def row_id(stream: str, origin: str, place: int | None, text: str) -> str:
    """Of place and content: a file delivered again under its name may hold another row in the same line.

    Quotes do not count: the same value may once be parsed as a number and once be kept as text.
    """
    content = text.replace('"', "")
    return hashlib.sha256(f"{stream}\x1f{origin}\x1f{place}\x1f{content}".encode(errors="surrogatepass")).hexdigest()


def _identity(batch: Batch, bad: pa.BooleanArray, raw: Sequence[str]) -> tuple[list[str], list[str]]:
    """Row ids and source references. A row that comes from the quarantine keeps its own."""
    if batch.aside is not None:
        return batch.aside.row_ids.filter(bad).to_pylist(), batch.aside.references.filter(bad).to_pylist()
    places = _places(batch, bad, len(raw))
    ids = [row_id(batch.stream, batch.origin, place, text) for text, place in zip(raw, places, strict=True)]
    return ids, [batch.origin if place is None else f"{batch.origin}:{place}" for place in places]


def _places(batch: Batch, bad: pa.BooleanArray, rows: int) -> list[int | None]:
    return [None] * rows if batch.positions is None else batch.positions.filter(bad).to_pylist()


def _rows(data: pa.RecordBatch, bad: pa.BooleanArray, masked: frozenset[str]) -> Iterable[dict[str, Any]]:
    names = _unique(data.schema.names)
    columns = columns_as_json(data, bad)
    for at, name in enumerate(data.schema.names):
        if name in masked:
            columns[at] = [None if value is None else MASKED for value in columns[at]]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _unique(names: Sequence[str]) -> list[str]:
    """A source may name two columns alike; JSON may not."""
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return made


def _table(
    plan: Plan,
    kind: str,
    ids: Sequence[str],
    references: Sequence[str],
    raw: Sequence[str],
    reasons: Sequence[Sequence[str]],
) -> pa.RecordBatch:
    rows, at = len(ids), datetime.fromisoformat(plan.created_at)
    columns = {
        "run": [plan.plan_id] * rows,
        "stream": [plan.stream] * rows,
        "row_id": ids,
        "source_reference": references,
        "raw": [text.encode(errors="replace").decode() for text in raw],
        "kind": [kind] * rows,
        "reasons": [list(why) for why in reasons],
        "contract_version": [plan.spec.contract.version] * rows,
        "quarantined_at": [at] * rows,
        "expires_at": [expires_at(plan)] * rows,
    }
    arrays = [pa.array(columns[item.name], to_arrow(item.type)) for item in QUARANTINE_FIELDS]
    return pa.RecordBatch.from_arrays(arrays, schema=QUARANTINE_SCHEMA)


def expires_at(plan: Plan) -> datetime:
    """Until when the rows this run sets aside are kept."""
    given = plan.spec.contract.properties.get("dativo.quarantine.retention_days", "")
    days = int(given) if given.isdigit() else RETENTION_DAYS
    return datetime.fromisoformat(plan.created_at) + timedelta(days=days)
