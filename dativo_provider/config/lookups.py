"""The job's `lookups:`: other tables whose rows its transformations may read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from dativo_provider.config.making import Making
from dativo_provider.config.problems import did_you_mean
from dativo_provider.config.roots import below_roots, has_scheme, located, relative_to_first
from dativo_provider.config.shapes.job import ID_RULE, LookupTable, is_id
from dativo_provider.config.types import named_type
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.job import StreamSpec, TransformSpec
from dativo_provider.model.lookup import LookupSpec

__all__ = ["check_lookups", "lookups"]

_SUFFIXES = (".csv", ".parquet")


def lookups(making: Making) -> tuple[LookupSpec, ...]:
    return tuple(_lookup(making, name, shape) for name, shape in making.job.lookups.items())


def _lookup(making: Making, name: str, shape: LookupTable) -> LookupSpec:
    keys: tuple[Key, ...] = ("lookups", name)
    if not is_id(name):
        making.error(keys, f"'{name}' cannot name a lookup", ID_RULE, value=False)
    if bool(shape.table) == bool(shape.path):
        making.error(keys, f"lookup '{name}' needs a `table` or a `path`", "give one of the two", value=False)
    if not shape.key:
        making.error(keys, f"lookup '{name}' has no key", "add `key: {<its column>: <the row's column>}`", value=False)
    if shape.table:
        _check_table(making, shape, (*keys, "table"))
    path, line, column = making.at.spot(keys)
    return LookupSpec(
        name=name,
        key=dict(shape.key),
        table=shape.table,
        path=_path(making, shape.path, (*keys, "path")) if shape.path else "",
        types=_types(making, shape, keys),
        declared_in=f"{path}:{line}:{column}",
    )


def _check_table(making: Making, shape: LookupTable, keys: tuple[Key, ...]) -> None:
    if making.publisher.kind != "table":
        making.judge(
            keys, f"target '{making.publisher.name}' has no catalog to look tables up in", "give the lookup a file"
        )
    if shape.table.count(".") > 1 or "${" in shape.table:
        making.error(keys, f"'{shape.table}' is no table", "write <table> or <namespace>.<table>")


def _path(making: Making, path: str, keys: tuple[Key, ...]) -> str:
    roots = making.tenant.file_roots
    if "${" in path or has_scheme(path):
        making.error(keys, f"'{path}' is no file below the tenant's folders", "write a path, or look up in a table")
        return path
    if PurePath(path).suffix.lower() not in _SUFFIXES:
        making.error(keys, f"'{path}' is no CSV or Parquet file", f"its name ends in {' or '.join(_SUFFIXES)}")
    found = located(path, roots)
    if not below_roots(found, roots):
        making.judge(
            keys,
            f"'{path}' lies outside the folders of tenant '{making.tenant.tenant}'",
            f"it may read below: {', '.join(making.shown(root) for root in roots)}",
        )
    return relative_to_first(found, roots)


def _types(making: Making, shape: LookupTable, keys: tuple[Key, ...]) -> dict[str, str]:
    if shape.types and not shape.path.lower().endswith(".csv"):
        making.error((*keys, "types"), "only a CSV file's columns need types", "remove `types`", value=False)
    made = {}
    for column, written in shape.types.items():
        made[column] = named_type(written) or ""
        if not made[column] or "<" in made[column]:
            making.error(
                (*keys, "types", column), f"'{written}' is not a type of a CSV column", "e.g. bigint, date, double"
            )
    return made


def check_lookups(
    making: Making, found: Sequence[LookupSpec], streams: Sequence[StreamSpec], transforms: Sequence[TransformSpec]
) -> None:
    """The row's columns that find something must be there, and none may have a lookup's name."""
    for lookup in found:
        if not any(lookup.name in transform.expression.lower() for transform in transforms):
            making.warn(("lookups", lookup.name), f"no transformation reads lookup '{lookup.name}'", value=False)
    for stream in streams:
        fields = [field.name for field in stream.contract.fields]
        names = [*fields, *(transform.column for transform in transforms)]
        for lookup in found if fields else ():
            _check_names(making, lookup, names)


def _check_names(making: Making, lookup: LookupSpec, names: Sequence[str]) -> None:
    keys = ("lookups", lookup.name)
    if lookup.name in {name.lower() for name in names}:
        making.error(keys, f"'{lookup.name}' is a column of the row, too", "give the lookup another name", value=False)
    for theirs, ours in lookup.key.items():
        if ours not in names:
            making.judge(
                (*keys, "key"), f"lookup '{lookup.name}' is found by '{ours}', which is no column of the row",
                did_you_mean(ours, names) or f"write `key: {{{theirs}: <a column of the row>}}`",
            )  # fmt: skip
