"""How an existing table becomes fit for the wanted columns, or why it cannot without losing data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import DataError
from dativo_provider.lake.schema import iceberg_type, type_name
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

__all__ = ["Addition", "Widening", "apply_changes", "plan_changes"]

Path = tuple[str, ...]


@dataclass(frozen=True)
class Addition:
    path: Path
    type: Any
    doc: str = ""


@dataclass(frozen=True)
class Widening:
    path: Path
    type: Any


@dataclass(frozen=True)
class _Clash:
    text: str


Change = Addition | Widening


def plan_changes(schema: Schema, fields: Sequence[Field], table: str) -> tuple[Change, ...]:
    """What to change so that rows of `fields` fit. Raises `DataError` with every clash at once.

    Columns of the table that are not wanted stay and hold NULL in new rows, unless they are required.
    A column is never relaxed from required to optional, never narrowed and never renamed.
    """
    found = [*_columns(schema, fields), *_unfed(schema, fields)]
    clashes = [change.text for change in found if isinstance(change, _Clash)]
    if clashes:
        raise DataError(
            "the table has another schema than the contract: " + "; ".join(clashes),
            where=table,
            remedy="change the contract as said, publish to a new table, or alter the table yourself first",
        )
    return tuple(change for change in found if not isinstance(change, _Clash))


def _columns(schema: Schema, fields: Sequence[Field]) -> Iterator[Change | _Clash]:
    existing = {field.name.lower(): field for field in schema.fields}
    for wanted in fields:
        have = existing.get(wanted.name.lower())
        if have is None:
            yield _added(wanted)
        elif have.name != wanted.name:
            yield _Clash(f"column '{wanted.name}' is called '{have.name}' in the table (use that spelling)")
        else:
            yield from _required(have, wanted)
            yield from _fit((have.name,), have.field_type, iceberg_type(wanted.type))


def _added(wanted: Field) -> Change | _Clash:
    if wanted.required:
        return _Clash(f"column '{wanted.name}' is new and required, but older rows have no value (make it optional)")
    return Addition((wanted.name,), iceberg_type(wanted.type), wanted.description)


def _required(have: Any, wanted: Field) -> Iterator[_Clash]:
    if have.required and not wanted.required:
        yield _Clash(
            f"column '{wanted.name}' is required in the table and optional in the contract (make it required, "
            "or relax the table's column on purpose with your engine)"
        )


def _unfed(schema: Schema, fields: Sequence[Field]) -> Iterator[_Clash]:
    wanted = {field.name.lower() for field in fields}
    for field in schema.fields:
        if field.required and field.name.lower() not in wanted:
            yield _Clash(f"column '{field.name}' is required in the table and missing in the contract (add it)")


def _fit(path: Path, have: Any, wanted: Any) -> Iterator[Change | _Clash]:
    from pyiceberg.types import ListType, MapType, StructType

    if isinstance(have, StructType) and isinstance(wanted, StructType):
        yield from _struct(path, have, wanted)
    elif isinstance(have, ListType) and isinstance(wanted, ListType):
        yield from _fit((*path, "element"), have.element_type, wanted.element_type)
    elif isinstance(have, MapType) and isinstance(wanted, MapType):
        yield from _same((*path, "key"), have.key_type, wanted.key_type)
        yield from _fit((*path, "value"), have.value_type, wanted.value_type)
    elif type_name(have) != type_name(wanted):
        yield Widening(path, wanted) if _widens(have, wanted) else _clash(path, have, wanted)


def _struct(path: Path, have: Any, wanted: Any) -> Iterator[Change | _Clash]:
    existing = {field.name: field for field in have.fields}
    for field in wanted.fields:
        if field.name in existing:
            yield from _fit((*path, field.name), existing[field.name].field_type, field.field_type)
        else:
            yield Addition((*path, field.name), field.field_type)


def _same(path: Path, have: Any, wanted: Any) -> Iterator[_Clash]:
    if type_name(have) != type_name(wanted):
        yield _clash(path, have, wanted)


def _clash(path: Path, have: Any, wanted: Any) -> _Clash:
    name, old, new = ".".join(path), type_name(have), type_name(wanted)
    if _widens(wanted, have):
        return _Clash(f"column '{name}' is {old} in the table and the narrower {new} in the contract (declare {old})")
    return _Clash(f"column '{name}' is {old} in the table and {new} in the contract, which do not fit")


def _widens(have: Any, wanted: Any) -> bool:
    """Iceberg's promotions: int → long, float → double, decimal to a higher precision of the same scale."""
    from pyiceberg.types import DecimalType

    if isinstance(have, DecimalType) and isinstance(wanted, DecimalType):
        return bool(have.scale == wanted.scale and have.precision < wanted.precision)
    return (type_name(have), type_name(wanted)) in {("int", "long"), ("float", "double")}


def apply_changes(table: Table, changes: Sequence[Change]) -> None:
    """One metadata commit. Raises PyIceberg's `CommitFailedException` when another process changed the schema."""
    update = table.update_schema()
    for change in changes:
        if isinstance(change, Addition):
            update.add_column(change.path, change.type, doc=change.doc or None)
        else:
            update.update_column(change.path, field_type=change.type)
    update.commit()
