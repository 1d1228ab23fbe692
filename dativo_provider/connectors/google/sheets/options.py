"""How a sheet is to be read: the options of a job, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from dativo_provider.config.shapes.base import Shape
from dativo_provider.errors import ConfigurationError

__all__ = ["SheetOptions", "options_of"]


class SheetOptions(Shape):
    """`source.options` and `source.sheets[].options` of google_sheets."""

    sheet_id: str = Field(default="", description="Number of the sheet (`gid`), its title, or a pattern of titles.")
    range: str = Field(default="", description="Cells in A1 notation, or a named range.")
    id: str = Field(default="", description="Read, not used: a sheet is known by its number.")
    header: bool = Field(default=True, description="Whether a row names the columns; else they are `column_A`, ….")
    header_row: int = Field(default=0, ge=0, description="Its number in the sheet; 0: the first that is not blank.")
    header_rows: int = Field(default=1, ge=1, le=5, description="Rows of the header; names are joined: `Q1 / Sales`.")
    column_names: list[str] = Field(default=[], description="Names instead of those in the sheet, from the left.")
    duplicate_headers: Literal["refuse", "letter"] = Field(
        default="refuse", description="`letter` adds the column's letter to a name that is there twice."
    )
    merged: Literal["first", "fill"] = Field(
        default="first", description="`fill` gives every cell of a merged area the value that stands in its first."
    )
    errors: Literal["reject", "null", "text"] = Field(
        default="reject", description="What becomes of a row with a cell like `#REF!`."
    )
    blank: list[bool | int | str] = Field(
        default=[], description="Values that count as nothing when a row is all blank: `[false]` for tick boxes."
    )


def options_of(*given: Mapping[str, Any]) -> SheetOptions:
    """Later ones go first. Raises `ConfigurationError` naming the option that is unknown or impossible."""
    merged = {name: value for each in given for name, value in each.items()}
    try:
        return SheetOptions.model_validate(merged)
    except ValidationError as failed:
        error = failed.errors(include_url=False)[0]
        place = ".".join(str(part) for part in error["loc"])
        known = ", ".join(sorted(SheetOptions.model_fields))
        raise ConfigurationError(
            f"option '{place}' of a sheet: {error['msg']}", where="source.sheets", remedy=f"known: {known}"
        ) from None
