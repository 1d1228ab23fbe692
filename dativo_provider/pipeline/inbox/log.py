"""Lines of the log: what was done about entries, by whom and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from dativo_provider.model.inbox import Entry
from dativo_provider.model.tables import INBOX_LOG_FIELDS
from dativo_provider.model.types import to_arrow
from dativo_provider.pipeline.inbox.expressions import lots
from dativo_provider.vocabulary import EntryStatus

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Line", "batches"]


@dataclass(frozen=True)
class Line:
    """`fix` is whole: it takes the place of an earlier one."""

    entry: Entry
    status: EntryStatus
    fix: Mapping[str, Any] | None = None
    note: str = ""


def batches(lines: Iterable[Line], action: str, stream: str, by: str, at: datetime) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    schema = pa.schema([pa.field(f.name, to_arrow(f.type), nullable=not f.required) for f in INBOX_LOG_FIELDS])
    for lot in lots(lines):
        rows = [_row(line, action, stream, by, at) for line in lot]
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


def _row(line: Line, action: str, stream: str, by: str, at: datetime) -> dict[str, Any]:
    expires = line.entry.expires_at
    return {
        "action": action,
        "run": line.entry.run,
        "stream": stream,
        "row_id": line.entry.row_id,
        "status": line.status,
        "fix": orjson.dumps(dict(line.fix)).decode() if line.fix else None,
        "by": by,
        "at": at,
        "note": line.note,
        "expires_at": datetime.fromisoformat(expires) if expires else None,
    }
