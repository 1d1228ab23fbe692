"""Records of one stream on their way into batches of bounded size."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dativo_provider.connectors.rest.arrow import Reading, to_batch
from dativo_provider.connectors.rest.spec import Form
from dativo_provider.model.batch import Batch, Reject
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Rows"]

_ROWS = 10_000
_BYTES = 8 << 20  # of the lines that a batch is made of
_POINT = "\x1f"
_MIDNIGHT = r"[T ]00:00:00(\.0+)?(Z|\+00:?00)$"
_LONGEST = 65_536  # characters of a reject


@dataclass
class Rows:
    """`days` are columns that a contract calls dates: connectors write those as midnights in UTC.

    `extra` are properties that the connector did not announce.
    """

    stream: str
    fields: Sequence[Field]
    as_text: Sequence[str] = ()
    days: Collection[str] = ()
    extra: set[str] = field(default_factory=set)
    _waiting: list[dict[str, Any]] = field(default_factory=list)
    _ops: list[str] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _rejects: list[Reject] = field(default_factory=list)
    _size: int = 0

    def __post_init__(self) -> None:
        self._known = {each.name for each in self.fields}
        self._readings = [_reading(each) for each in self.fields]
        self._pointed = any("." in name for name in self._known)

    def add(self, values: dict[str, Any], line: int, size: int, gone: bool) -> bool:
        """Whether there is enough for a batch."""
        self._waiting.append(values)
        self._ops.append("delete" if gone else "upsert")
        self._lines.append(line)
        return self._grown(size)

    def reject(self, line: int, text: str, reason: str) -> bool:
        self._rejects.append(Reject(self.stream, line, text[:_LONGEST], reason))
        return self._grown(len(text))

    def _grown(self, size: int) -> bool:
        self._size += size
        return self._size > _BYTES or len(self._waiting) >= _ROWS

    def rest(self) -> Iterator[Batch]:
        import pyarrow as pa

        waiting, ops, lines, rejects = self._waiting, self._ops, self._lines, tuple(self._rejects)
        self._waiting, self._ops, self._lines, self._rejects, self._size = [], [], [], [], 0
        if not waiting and not rejects:
            return
        self._note(waiting)
        data = self._dated(
            to_batch([_flat(each) for each in waiting] if self._pointed else waiting, self._readings, self.as_text)
        )
        kinds = pa.array(ops, pa.string()) if "delete" in ops else None
        yield Batch(self.stream, data, self.stream, pa.array(lines, pa.int64()), kinds, rejects)

    def _dated(self, data: pa.RecordBatch) -> pa.RecordBatch:
        import pyarrow as pa
        import pyarrow.compute as pc

        for place, name in enumerate(data.schema.names):
            if name in self.days and pa.types.is_string(data.schema.field(place).type):
                data = data.set_column(place, name, pc.replace_substring_regex(data.column(place), _MIDNIGHT, ""))
        return data

    def _note(self, waiting: Sequence[dict[str, Any]]) -> None:
        strangers = {name for values in waiting if not values.keys() <= self._known for name in values}
        self.extra |= {name for name in strangers - self._known if not name.startswith("_")}


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Names may hold points, which are no paths here."""
    return {name.replace(".", _POINT): value for name, value in values.items()}


def _reading(each: Field) -> Reading:
    """What a contract knows the inside of travels as JSON text, which the cast reads."""
    form: Form = "json" if "<" in each.type else "plain"
    return Reading(each.name, each.type, each.name.replace(".", _POINT), form)
