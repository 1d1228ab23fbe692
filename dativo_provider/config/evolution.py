"""What job and contract say about changes of the schema: policies, former names, dropped columns, JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from dativo_provider.config.layers import Findings, Located
from dativo_provider.config.shapes.base import Shape
from dativo_provider.config.shapes.checks import SchemaContract
from dativo_provider.config.shapes.contract import CustomProperty, PropertyBase
from dativo_provider.config.shapes.evolution import ColumnPolicy, Policies, PolicyBlock
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.schema import Kinds, SchemaPolicies
from dativo_provider.model.stream import Field
from dativo_provider.vocabulary import SchemaPolicy

__all__ = [
    "as_json",
    "block_policies",
    "check_former_names",
    "custom_policies",
    "dropped_columns",
    "former_names",
    "mode_policies",
    "of_schema_contract",
    "parts_former_names",
]  # fmt: skip

Path = tuple[Key, ...]
Custom = Sequence[CustomProperty] | None
_MODES: Mapping[str, tuple[SchemaPolicy, SchemaPolicy, SchemaPolicy]] = {
    "strict": ("freeze", "freeze", "freeze"),
    "merge": ("evolve", "evolve", "evolve"),
    "relaxed": ("evolve", "evolve", "discard_value"),
}


class _Carrier(Shape):
    """So that a policy inside a custom property is read, and refused, like one of a job."""

    value: Policies


def mode_policies(mode: str | None) -> SchemaPolicies:
    """`target.mode` of jobs and assets."""
    if not mode:
        return SchemaPolicies()
    new, missing, other = _MODES[mode]
    return SchemaPolicies({"new_column": new, "missing_column": missing, "other_type": other})


def of_schema_contract(given: SchemaContract | None) -> SchemaPolicies:
    """`data_contract.schema_contract`."""
    if given is None:
        return SchemaPolicies()
    kinds = dict(mode_policies("strict").kinds) if given.strict_mode else {}
    if given.allow_nullable_expansion is not None:
        kinds["nullability"] = "evolve" if given.allow_nullable_expansion else "freeze"
    if given.allow_type_changes is not None:
        kinds["other_type"] = "evolve" if given.allow_type_changes else "freeze"
    return SchemaPolicies(kinds)


def block_policies(block: PolicyBlock | None) -> SchemaPolicies:
    if block is None:
        return SchemaPolicies()
    return SchemaPolicies(_kinds(block), {name: _kinds(each) for name, each in block.columns.items()})


def _kinds(block: ColumnPolicy) -> Kinds:
    return cast("Kinds", block.model_dump(exclude_none=True, exclude={"columns"}))


def custom_policies(custom: Custom, at: Located, path: Path, findings: Findings) -> SchemaPolicies:
    """`schemaPolicy` among the custom properties of a contract, a table or a column."""
    for number, value in _values(custom, "schemaPolicy"):
        keys = (*path, "customProperties", number)
        if found := shaped(_Carrier, {"value": value}, at, findings, keys):
            return block_policies(found.value)
    return SchemaPolicies()


def former_names(custom: Custom) -> tuple[str, ...]:
    """`renamedFrom`, newest first."""
    return tuple(name for _, value in _values(custom, "renamedFrom") for name in _names(value))


def parts_former_names(column: PropertyBase, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The same of the parts of an object, by their path below the column."""
    below = column.items or (column.map.value if column.map else None)
    if below:
        yield from parts_former_names(below, path)
    for part in column.properties or ():
        inner = (*path, part.name or "")
        yield from ((".".join(inner), name) for name in former_names(part.customProperties))
        yield from parts_former_names(part, inner)


def dropped_columns(custom: Custom) -> tuple[str, ...]:
    return tuple(name for _, value in _values(custom, "droppedColumns") for name in _names(value))


def as_json(column: PropertyBase, at: Located, path: Path, findings: Findings) -> str:
    """`json: struct` or `json: string`; empty when nothing is said."""
    for number, value in _values(column.customProperties, "json"):
        if value in ("struct", "string"):
            return str(value)
        keys = (*path, "customProperties", number, "value")
        findings.error(at, keys, f"json cannot be {value!r}", "use struct or string")
    return ""


def check_former_names(
    fields: Sequence[Field], dropped: Sequence[str], at: Located, path: Path, findings: Findings
) -> None:
    """A name is either of today or of the past."""
    names = {each.name for each in fields}
    for number, each in enumerate(fields):
        for former in each.renamed_from:
            if former in names:
                message = f"'{each.name}' was renamed from '{former}', which is a column of this contract"
                findings.error(at, (*path, number), message, "give the new column another name")
    for name in dropped:
        if name in names:
            findings.error(at, path, f"'{name}' is dropped, and a column of this contract", "remove one of the two")


def _values(custom: Custom, name: str) -> Iterator[tuple[int, Any]]:
    return ((number, each.value) for number, each in enumerate(custom or ()) if each.property == name)


def _names(value: Any) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value]) if each is not None]
