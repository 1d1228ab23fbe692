"""Rows that are told by their key: which of them have none, which say that a row is gone, and the marks they leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.marks import AFTER, OP
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.run import Plan
from dativo_provider.model.stream import Field
from dativo_provider.model.types import to_arrow

__all__ = ["NO_KEY", "Keys", "is_keyed", "order_column", "require_key", "widened"]

NO_KEY = "key.required"


def is_keyed(plan: Plan) -> bool:
    return TRAITS[plan.job.target.mode].keyed


def require_key(job: JobSpec, spec: StreamSpec, fields: Sequence[Field]) -> None:
    """Raises `ConfigurationError` for a key of the job that is no column, which would tell no row from another."""
    names = [field.name for field in fields]
    for name in spec.key if not spec.columns else ():
        if name not in names:
            raise ConfigurationError(
                f"key '{name}' is not a column of {spec.object} (has: {listed(names, 12)})",
                where=job.path or spec.name,
                remedy=did_you_mean(name, names) or "correct `key` of the source",
            )  # fmt: skip


def order_column(plan: Plan) -> str:
    """What says which of two versions of a row is the newer one; empty: the one that came later."""
    wanted = plan.job.target.order_by or plan.spec.incremental.cursor_field
    return wanted if any(field.name == wanted for field in plan.fields) else ""


class Keys:
    def __init__(self, plan: Plan) -> None:
        self._plan, self._key = plan, plan.spec.identity
        order = order_column(plan)
        self._columns = list(dict.fromkeys([*self._key, *([order] if order else [])]))

    def gone(self, rows: pa.RecordBatch, ops: pa.Array | None) -> pa.BooleanArray | None:
        """Rows that say a row is gone; None when there is none."""
        masks = list(self._masks(rows, ops))
        found = reduce(pc.or_, masks) if masks else None
        return found if found is not None and pc.any(found).as_py() else None

    def _masks(self, rows: pa.RecordBatch, ops: pa.Array | None) -> Iterator[pa.BooleanArray]:
        if ops is not None:
            yield pc.fill_null(pc.equal(ops, "delete"), False)
        if flag := self._plan.job.target.delete_flag:
            values = rows.column(flag.column)
            yield pc.fill_null(pc.equal(values, _literal(flag.value, values.type, flag.column)), False)

    def lacking(self, rows: pa.RecordBatch) -> pa.BooleanArray | None:
        """Rows without a whole key; None when there is none."""
        columns = [rows.column(name) for name in self._key]
        return (
            reduce(pc.or_, [pc.is_null(column) for column in columns]) if any(c.null_count for c in columns) else None
        )

    def marks(self, rows: pa.RecordBatch, says: str, after: pa.Array) -> pa.RecordBatch:
        """`after[i]`: how many rows of the slice came before row i."""
        chosen = rows.select(self._columns)
        types = {field.name: to_arrow(field.type) for field in self._fields()}
        columns = [chosen.column(name).cast(types[name]) for name in self._columns]
        names = [*self._columns, OP, AFTER]
        said = pa.repeat(pa.scalar(says), rows.num_rows)
        return pa.RecordBatch.from_arrays([*columns, said, after], names=names)

    def _fields(self) -> Sequence[Field]:
        return [field for field in self._plan.fields if field.name in self._columns]


def _literal(value: bool | int | str, kind: pa.DataType, column: str) -> pa.Scalar:
    try:
        return pa.scalar(value).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise ConfigurationError(
            f"delete_flag: a column of type {kind} is never {value!r}",
            where=f"target.delete_flag.{column}",
            remedy="write a value of the column's type",
        ) from problem


def widened(part: pa.BooleanArray | None, of: pa.BooleanArray) -> pa.BooleanArray | None:
    """`part`, which is about the rows marked in `of`, as a mask of all rows."""
    if part is None:
        return None
    return pc.replace_with_mask(pa.repeat(pa.scalar(False), len(of)), of, part)
