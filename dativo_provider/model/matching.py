"""Which source column a field means: by its name, by its name without case where that is unique, by a former name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dativo_provider.errors import DataError
from dativo_provider.model.stream import Field

__all__ = ["match_names", "unmatched"]


def match_names(fields: Sequence[Field], names: Sequence[str]) -> list[int | None]:
    """Where each field's column stands in `names`. Raises `DataError` when its name stands there twice."""
    exact = {item.name for item in fields}
    spare: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if name not in exact:
            spare.setdefault(name.casefold(), []).append(index)
    places = [_place(item.name, names, spare) for item in fields]
    return [place if place is not None else _former(item, spare) for item, place in zip(fields, places, strict=True)]


def _place(name: str, names: Sequence[str], spare: Mapping[str, list[int]]) -> int | None:
    found = [index for index, each in enumerate(names) if each == name]
    if len(found) > 1:
        raise DataError(f"the source has {len(found)} columns named '{name}'", remedy="rename or leave out one of them")
    return found[0] if found else _alike(name, spare)


def _alike(name: str, spare: Mapping[str, list[int]]) -> int | None:
    alike = spare.get(name.casefold(), [])
    return alike[0] if len(alike) == 1 else None


def _former(item: Field, spare: Mapping[str, list[int]]) -> int | None:
    return next((place for name in item.renamed_from if (place := _alike(name, spare)) is not None), None)


def unmatched(fields: Sequence[Field], names: Sequence[str]) -> list[int]:
    """Places of source columns that no field means."""
    meant = set(match_names(fields, names))
    return [place for place in range(len(names)) if place not in meant]
