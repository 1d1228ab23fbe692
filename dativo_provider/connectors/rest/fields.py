"""Fields that users of a vendor have added to its records, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dativo_provider.connectors.rest.answers import fits
from dativo_provider.connectors.rest.page import at
from dativo_provider.connectors.rest.spec import Stream
from dativo_provider.model.stream import Field

__all__ = ["asked_names", "path_of", "told_fields"]


def told_fields(spec: Stream, items: Iterable[Any]) -> Iterator[Field]:
    """Those of `items` that no column of the spec is read from yet, once each."""
    told = spec.fields
    assert told is not None
    known = {each.path or name for name, each in spec.columns.items()}
    for item in items:
        name = at(item, told.name)
        if isinstance(name, str) and name and path_of(spec, name) not in known and not _one_fits(told.skip, item):
            known.add(path_of(spec, name))
            kind = str(at(item, told.type))
            label = at(item, told.label) if told.label else None
            if name not in spec.columns:
                personal = "pii" if _one_fits(told.personal, item) else ""
                yield Field(
                    name, told.types.get(kind, "string"), description=str(label or ""), source_type=kind,
                    classification=personal,
                )  # fmt: skip


def _one_fits(rules: Iterable[Mapping[str, Any]], item: Any) -> bool:
    return any(fits(item, rule) for rule in rules)


def path_of(spec: Stream, name: str) -> str:
    """Where a field stands that the spec has no column for."""
    return f"{spec.fields.under}.{name}" if spec.fields and spec.fields.under else name


def asked_names(spec: Stream, paths: Iterable[str]) -> list[str]:
    """`{columns}`: what the API calls the values at `paths`, and those that every read of the stream needs."""
    increment = spec.incremental
    needed = [*spec.key, *([increment.cursor] if increment and increment.cursor else [])]
    every = dict.fromkeys([*paths, *(spec.columns[each].path or each for each in needed)])
    under = f"{spec.fields.under}." if spec.fields and spec.fields.under else ""
    added = (*(("parent.",) if spec.parent else ()), *(("item.",) if spec.rows else ()))  # what we put there
    return [each.removeprefix(under) for each in every if each.startswith(under) and not each.startswith(added)]
