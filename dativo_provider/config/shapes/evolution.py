"""`schema_policy`: what a change of the schema does."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from dativo_provider.config.shapes.base import Shape, Wrong
from dativo_provider.vocabulary import SchemaPolicy

__all__ = ["ColumnPolicy", "Policies", "PolicyBlock"]

Strictness = Literal["evolve", "freeze"]


def _word(value: Any) -> Any:
    """One word is said of every kind of change."""
    if not isinstance(value, str):
        return value
    if value not in get_args(SchemaPolicy):
        raise Wrong(f"'{value}' is no policy", f"use one of: {', '.join(get_args(SchemaPolicy))}")
    kinds = ["new_column", "missing_column", "other_type"]
    return dict.fromkeys([*kinds, "nullability"] if value in get_args(Strictness) else kinds, value)


class ColumnPolicy(Shape):
    """What each kind of change does: `evolve`, `freeze`, `discard_row`, `discard_value`."""

    new_column: SchemaPolicy | None = Field(
        default=None, description="The source has a column the contract does not know."
    )
    missing_column: SchemaPolicy | None = Field(default=None, description="The source lost an optional column.")
    other_type: SchemaPolicy | None = Field(
        default=None, description="The source's column, or a value of it, has another type."
    )
    nullability: Strictness | None = Field(
        default=None, description="The contract made a required column of the table optional, or dropped it."
    )


Worded = Annotated[ColumnPolicy, BeforeValidator(_word, json_schema_input_type=SchemaPolicy | ColumnPolicy)]


class PolicyBlock(ColumnPolicy):
    """Policies by kind of change, for all columns and for single ones."""

    columns: dict[str, Worded] = Field(default={}, description="Policies of single columns, by name.")


Policies = Annotated[PolicyBlock, BeforeValidator(_word, json_schema_input_type=SchemaPolicy | PolicyBlock)]
