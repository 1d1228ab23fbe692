"""Holds the contract against the source before a row is read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from dativo_provider.errors import DataError
from dativo_provider.model.job import StreamSpec, TransformSpec
from dativo_provider.model.stream import Field, Stream

__all__ = ["cast_fields", "contract_fields", "require_columns", "typed"]


def contract_fields(spec: StreamSpec, described: Stream) -> Sequence[Field]:
    """The contract's columns; without a contract, the source's as it describes them."""
    return spec.contract.fields or described.fields


def cast_fields(fields: Sequence[Field], transforms: Sequence[TransformSpec], source: Sequence[Field]) -> list[Field]:
    """The columns a row has before any transformation: all but those only a transformation can make."""
    made, has = {transform.column for transform in transforms}, {field.name.lower() for field in source}
    return [field for field in fields if field.name not in made or field.name.lower() in has]


def typed(transforms: Sequence[TransformSpec], fields: Sequence[Field]) -> tuple[TransformSpec, ...]:
    """The contract's type for every transformation that names none of its own."""
    types = {field.name: field.type for field in fields}
    return tuple(replace(each, type=each.type or types.get(each.column, "")) for each in transforms)


def require_columns(spec: StreamSpec, described: Stream, fields: Sequence[Field], made: Iterable[str]) -> None:
    """Raises `DataError` when the source lacks a column the contract requires and no transformation makes."""
    has = {field.name.lower(): field.name for field in described.fields}
    made = set(made)
    lost = [field.name for field in fields if field.required and field.name.lower() not in has.keys() | made]
    if not lost:
        return
    hints = [f"did you mean '{near[0]}'?" for name in lost if (near := _near(name, has.values()))]
    raise DataError(
        f"{spec.object} has no column {', '.join(lost)}, which the contract requires (has: {', '.join(has.values())})",
        where=spec.contract.path or spec.name,
        remedy=" ".join(hints) or "add the column to the source, or make it optional in the contract",
    )


def _near(name: str, names: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name, list(names), n=1)
