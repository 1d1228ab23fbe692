"""How an existing table becomes fit for the wanted columns, or why it cannot without losing data.

A contract is a decision: what it adds, widens, renames or drops, the table follows, by field id, so that older files
and snapshots read as before. https://iceberg.apache.org/spec/#schema-evolution
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import DataError
from dativo_provider.lake.changes import Addition, Change, Clash, Drop, Order, Relaxation, Rename, Widening
from dativo_provider.lake.schema import iceberg_type, type_name
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field
from dativo_provider.model.widening import promotes

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

__all__ = ["Evolution", "plan_changes"]

Path = tuple[str, ...]
Found = Change | Clash


@dataclass(frozen=True)
class Evolution:
    """What is wanted of a table. `dropped` columns leave its current schema; `ordered`: columns as `fields` are."""

    fields: Sequence[Field]
    table: str
    dropped: Sequence[str] = ()
    policies: SchemaPolicies = SchemaPolicies()
    ordered: bool = False

    def changes(self, table: Table) -> tuple[Change, ...]:
        """As `plan_changes`, and nothing that the table's partitions or past would make wrong."""
        dropped, ordered = self.dropped, self.ordered
        found = plan_changes(table.schema(), self.fields, self.table, self.policies, dropped=dropped, ordered=ordered)
        _refuse(_unsafe(found, table, self.fields), self.table)
        return found


def plan_changes(
    schema: Schema,
    fields: Sequence[Field],
    table: str,
    policies: SchemaPolicies | None = None,
    *,
    dropped: Sequence[str] = (),
    ordered: bool = False,
) -> tuple[Change, ...]:
    """What to change so that rows of `fields` fit. Raises `DataError` with every clash at once.

    Columns of the table that are not wanted stay, become optional and hold NULL in new rows. A column is never
    narrowed.
    """
    plan = _Planner(schema, fields, policies or SchemaPolicies(), frozenset(dropped))
    found = list(plan.found())
    _refuse([change for change in found if isinstance(change, Clash)], table)
    changes = [change for change in found if not isinstance(change, Clash)]
    return (*changes, *(plan.order(changes) if ordered else ()))


def _refuse(clashes: Iterable[Clash], table: str) -> None:
    every = list(clashes)
    if not every:
        return
    raise DataError(
        f"the contract does not fit the table {table}: " + "; ".join(map(str, every)),
        where=next((clash.where for clash in every if clash.where), table),
        remedy="change the contract as said, publish to a new table, or alter the table yourself first",
    )


class _Planner:
    def __init__(
        self, schema: Schema, fields: Sequence[Field], policies: SchemaPolicies, dropped: frozenset[str]
    ) -> None:
        self._fields, self._policies, self._dropped = fields, policies, dropped
        self._columns = {field.name: field for field in schema.fields}
        self._wanted = {field.name.lower() for field in fields}

    def found(self) -> Iterator[Found]:
        taken = set()
        for field in self._fields:
            have, found = self._column(field)
            yield from found
            taken.add(have.name if have else field.name)
        for name, column in self._columns.items():
            if name in self._dropped and name not in taken:
                yield Drop((name,))
            elif name not in taken and column.required:
                yield self._relaxed(name, f"column '{name}' is required in the table and missing in the contract", "")

    def order(self, changes: Sequence[Change]) -> Iterator[Order]:
        """The wanted columns as wanted, then what only the table has, then the engine's own."""
        names = _names_after(list(self._columns), changes)
        wanted = [field.name for field in self._fields]
        own = [name for name in wanted if name.startswith("_dativo_")]
        ordered = [name for name in wanted if name not in own]
        ordered += [name for name in names if name not in wanted]
        if names != (aim := [*ordered, *own]):
            yield Order(tuple(names), tuple(aim))

    def _column(self, field: Field) -> tuple[Any, list[Found]]:
        have = next((column for name, column in self._columns.items() if name.lower() == field.name.lower()), None)
        if have is None:
            return self._new(field)
        if have.name != field.name:
            text = f"column '{field.name}' is called '{have.name}' in the table (use that spelling)"
            return have, [Clash(text, field.declared_in)]
        return have, list(self._fitted(have, field))

    def _new(self, field: Field) -> tuple[Any, list[Found]]:
        free = [name for name in field.renamed_from if name in self._columns and name.lower() not in self._wanted]
        old = self._columns[free[0]] if free else None
        if old is None:
            return None, [Addition((field.name,), iceberg_type(field.type), field.description)]
        return old, [Rename((old.name,), field.name), *self._fitted(old, field)]

    def _fitted(self, have: Any, field: Field) -> Iterator[Found]:
        if have.required and not field.required:
            text = f"column '{field.name}' is required in the table and optional in the contract"
            yield self._relaxed(field.name, text, field.declared_in)
        renamed: dict[str, list[str]] = {}
        for path, former in field.parts_renamed_from:
            renamed.setdefault(path, []).append(former)
        yield from _Fit(renamed, field.declared_in).fit((field.name,), (), have.field_type, iceberg_type(field.type))

    def _relaxed(self, name: str, text: str, where: str) -> Found:
        if self._policies.of("nullability", name, "evolve") == "evolve":
            return Relaxation((name,))
        return Clash(f"{text}, and the policy for nullability is freeze (make it required)", where)


@dataclass(frozen=True)
class _Fit:
    """Compares one column in depth. Paths of changes are those after every rename."""

    renamed: Mapping[str, Sequence[str]]
    where: str

    def fit(self, path: Path, inner: Path, have: Any, wanted: Any) -> Iterator[Found]:
        from pyiceberg.types import ListType, MapType, StructType

        if isinstance(have, StructType) and isinstance(wanted, StructType):
            yield from self._struct(path, inner, have, wanted)
        elif isinstance(have, ListType) and isinstance(wanted, ListType):
            yield from self.fit((*path, "element"), inner, have.element_type, wanted.element_type)
        elif isinstance(have, MapType) and isinstance(wanted, MapType):
            if type_name(have.key_type) != type_name(wanted.key_type):
                yield self._clash((*path, "key"), have.key_type, wanted.key_type)
            yield from self.fit((*path, "value"), inner, have.value_type, wanted.value_type)
        elif (old := type_name(have)) != (new := type_name(wanted)):
            yield Widening(path, wanted, old) if promotes(old, new) else self._clash(path, have, wanted)

    def _struct(self, path: Path, inner: Path, have: Any, wanted: Any) -> Iterator[Found]:
        existing = {field.name: field for field in have.fields}
        for field in wanted.fields:
            part, at = (*inner, field.name), (*path, field.name)
            former = [name for name in self.renamed.get(".".join(part), ()) if name in existing]
            if field.name in existing:
                yield from self.fit(at, part, existing[field.name].field_type, field.field_type)
            elif former:
                yield Rename((*path, former[0]), field.name)
                yield from self.fit(at, part, existing[former[0]].field_type, field.field_type)
            else:
                yield Addition(at, field.field_type)

    def _clash(self, path: Path, have: Any, wanted: Any) -> Clash:
        name, old, new = ".".join(path), type_name(have), type_name(wanted)
        if promotes(new, old):
            text = f"column '{name}' is {old} in the table and the narrower {new} in the contract (declare {old})"
        else:
            text = f"column '{name}' is {old} in the table and {new} in the contract, which do not fit"
        return Clash(text, self.where)


def _names_after(names: list[str], changes: Sequence[Change]) -> list[str]:
    top = [change for change in changes if not isinstance(change, Order) and len(change.path) == 1]
    renamed = {change.path[0]: change.to for change in top if isinstance(change, Rename)}
    gone = {change.path[0] for change in top if isinstance(change, Drop)}
    kept = [renamed.get(name, name) for name in names if name not in gone]
    return kept + [change.path[0] for change in top if isinstance(change, Addition)]


def _unsafe(changes: Sequence[Change], table: Table, fields: Sequence[Field]) -> Iterator[Clash]:
    places = {field.name: field.declared_in for field in fields}
    used, former = _used(table), _former_names(table)
    partitions = {part.name for spec in table.metadata.partition_specs for part in spec.fields}
    for change in changes:
        name = change.path[0] if len(change.path) == 1 else ""
        if isinstance(change, Drop) and name in used:
            yield Clash(f"column '{name}' cannot be dropped: the table's {used[name]} is made of it")
        elif isinstance(change, Addition) and name in former:
            yield Clash(
                f"column '{name}' is called '{former[name]}' in the table since it was renamed (use that name, or "
                "another one for a new column)", places.get(name, ""),
            )  # fmt: skip
        elif isinstance(change, Addition) and name in partitions:
            yield Clash(f"column '{name}' is called like a partition of the table (rename it)", places.get(name, ""))


def _used(table: Table) -> Mapping[str, str]:
    """Columns that partitions, sort orders or the row identity are made of, and which of them."""
    metadata, schema = table.metadata, table.schema()
    found = {part.source_id: "partitioning" for spec in metadata.partition_specs for part in spec.fields}
    found |= {part.source_id: "sort order" for order in metadata.sort_orders for part in order.fields}
    found |= dict.fromkeys(schema.identifier_field_ids, "row identity")
    return {field.name: found[field.field_id] for field in schema.fields if field.field_id in found}


def _former_names(table: Table) -> dict[str, str]:
    """Names that columns of the table had once and no longer have, with their name of today."""
    now = {field.field_id: field.name for field in table.schema().fields}
    past = [field for schema in table.metadata.schemas for field in schema.fields if field.field_id in now]
    return {field.name: now[field.field_id] for field in past if field.name not in now.values()}
