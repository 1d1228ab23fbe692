"""The entries of `source:` that become streams, whatever kind of source they are of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dativo_provider.config.making import Making
from dativo_provider.config.roots import below_roots, located, relative_to_first
from dativo_provider.config.shapes.source import File, Sheet, Table
from dativo_provider.config.yamlpos import Key

__all__ = ["Entry", "entries"]

_LISTS = ("tables", "objects", "files", "sheets")
_SINGLE = ("table", "path", "query")
_MOST = 200
_KINDS = {"database": {"tables", "table", "query"}, "files": {"files", "path"}}


@dataclass(frozen=True)
class Entry:
    """One stream before its contract is known. `keys` lead to it in the file."""

    name: str
    object: str
    keys: tuple[Key, ...]
    columns: tuple[str, ...] = ()
    where: str = ""
    query: str = ""
    key: tuple[str, ...] = ()
    cursor_field: str = ""
    asset: str = ""
    asset_path: str = ""
    on_changed_file: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    named: bool = True  # False: the name was made up


def entries(making: Making) -> tuple[Entry, ...]:
    """One per list item, or the single one the source itself describes. Names are unique."""
    _refuse_mixtures(making)
    found = list(_merged(_listed(making))) or [_single(making)]
    if len(found) > _MOST:
        making.error(("source",), f"{len(found)} streams are too many for one job", f"split it: {_MOST} are allowed")
        return ()
    seen: dict[str, Entry] = {}
    for entry in found:
        if entry.name in seen:
            making.error(entry.keys, f"two streams are called '{entry.name}'", "give each its own `object:`")
        seen[entry.name] = entry
    return tuple(found)


def _refuse_mixtures(making: Making) -> None:
    source, kind = making.source, making.connector.kind if making.connector else ""
    given = [name for name in (*_LISTS, *_SINGLE) if getattr(source, name)]
    if len(given) > 1:
        making.error(
            ("source", given[1]), f"source has both {given[0]} and {given[1]}", "keep one of the two", value=False
        )
        return
    wanted = _KINDS.get(kind)
    for name in given:
        if wanted and name not in wanted and making.runnable:
            reads = " or ".join(f"`{each}`" for each in sorted(wanted))
            making.error(
                ("source", name), f"{making.connector.name if making.connector else ''} reads {reads}, not {name}",
                value=False,
            )  # fmt: skip
    if wanted and not given and making.runnable:
        making.error(
            ("source",), "source names nothing to read", f"add one of: {', '.join(sorted(wanted))}", value=False
        )


def _listed(making: Making) -> Iterator[Entry]:
    source = making.source
    for number, table in enumerate(source.tables):
        yield _table(making, table, ("source", "tables", number))
    for number, name in enumerate(source.objects):
        yield Entry(_clean(name), name, ("source", "objects", number))
    for number, file in enumerate(source.files):
        yield _file(making, file, ("source", "files", number))
    for number, sheet in enumerate(source.sheets):
        yield _sheet(making, sheet, ("source", "sheets", number))


def _table(making: Making, table: Table, keys: tuple[Key, ...]) -> Entry:
    if table.query and table.name:
        making.error((*keys, "query"), "a table has both name and query", "keep one; `object:` names the stream")
    if not table.query and not table.name:
        making.error(keys, "a table has neither name nor query", "add `name: schema.table`")
    _refuse_query_parts(making, table.query, table.columns, table.where, keys)
    if table.query and not table.object:
        making.error(keys, "a query needs a name", "add `object:`")
    name = table.object or table.name.rpartition(".")[2]
    return Entry(
        name=_clean(name),
        object=table.name or table.object,
        keys=keys,
        columns=tuple(table.columns),
        where=table.where,
        query=table.query,
        key=tuple(table.key),
        cursor_field=table.cursor_field,
        asset=table.asset,
        asset_path=table.asset_path,
        options=table.options,
    )


def _refuse_query_parts(making: Making, query: str, columns: list[str], where: str, keys: tuple[Key, ...]) -> None:
    for name, given in (("columns", columns), ("where", where)):
        if query and given:
            making.error((*keys, name), f"{name} beside query has no meaning", "put it into the query", value=False)


def _file(making: Making, file: File, keys: tuple[Key, ...]) -> Entry:
    given = {name: getattr(file, name) for name in ("path", "file", "file_path", "file_id") if getattr(file, name)}
    if len(given) > 1:
        names = " and ".join(given)
        making.error(keys, f"a file has {names}", "keep one of them")
    if not given:
        making.error(keys, "a file has no path", "add `path:`")
        return Entry("file", "", keys)
    key, path = next(iter(given.items()))
    options = {**file.options, **({"id": file.id} if file.id else {})}
    return Entry(
        name=_clean(file.object or _stem(path)),
        object=path if key == "file_id" else _pattern(making, path, (*keys, key)),
        keys=keys,
        key=tuple(file.key),
        cursor_field=file.cursor_field,
        asset=file.asset,
        asset_path=file.asset_path,
        on_changed_file=file.on_changed_file or "",
        options=options,
        named=bool(file.object),
    )


def _pattern(making: Making, path: str, keys: tuple[Key, ...]) -> str:
    """The path below the tenant's roots; anything else is refused. Several patterns are separated by commas."""
    roots = making.tenant.file_roots
    if "${" in path:
        making.error(keys, "references are not replaced in paths", "write the path itself")
        return path
    made = []
    for each in _patterns(path):
        found = located(each, roots)
        if making.connector and making.connector.kind == "files" and not below_roots(found, roots):
            making.judge(
                keys,
                f"'{each}' lies outside the folders of tenant '{making.tenant.tenant}'",
                f"it may read below: {', '.join(making.shown(root) for root in roots)}; the operator adds more under "
                "`roots.files` in tenant.yaml",
            )
        made.append(relative_to_first(found, roots))
    return ",".join(made)


def _patterns(path: str) -> list[str]:
    """A comma inside braces (`{a,b}`) belongs to a pattern."""
    if "{" in path:
        return [path]
    return [each.strip() for each in path.split(",") if each.strip()]


def _sheet(making: Making, sheet: Sheet, keys: tuple[Key, ...]) -> Entry:
    options = {
        **sheet.options,
        **{name: getattr(sheet, name) for name in ("sheet_id", "range", "id") if getattr(sheet, name)},
    }
    return Entry(
        name=_clean(sheet.object or sheet.sheet_id or sheet.spreadsheet_id),
        object=sheet.spreadsheet_id,
        keys=keys,
        key=tuple(sheet.key),
        asset=sheet.asset,
        asset_path=sheet.asset_path,
        on_changed_file=sheet.on_changed_file or _of_sheets(making),
        options=options,
    )


def _of_sheets(making: Making) -> str:
    """People edit sheets where they are: unless the job says otherwise, what is read again replaces the rows."""
    return "" if "on_changed_file" in making.source.model_fields_set else "replace"


def _single(making: Making) -> Entry:
    source = making.source
    _refuse_query_parts(making, source.query, source.columns, source.where, ("source",))
    name = source.object or source.table.rpartition(".")[2]
    path = _pattern(making, source.path, ("source", "path")) if source.path else ""
    return Entry(
        name=_clean(name or making.job.asset or making.place.name),
        object=source.table or path or source.object or _clean(name or making.job.asset or making.place.name),
        keys=("source",),
        columns=tuple(source.columns),
        where=source.where,
        query=source.query,
        cursor_field=source.cursor_field,
        named=bool(name),
    )


def _merged(found: Iterator[Entry]) -> Iterator[Entry]:
    """Files of one object are one stream."""
    made: dict[str, Entry] = {}
    others: list[Entry] = []
    for entry in found:
        same = made.get(entry.name)
        if same and entry.keys[1] == "files" and same.named and entry.named and _alike(same, entry):
            made[entry.name] = replace(same, object=f"{same.object},{entry.object}")
        elif same:
            others.append(entry)
        else:
            made[entry.name] = entry
    yield from (*made.values(), *others)


def _alike(one: Entry, other: Entry) -> bool:
    return replace(other, object=one.object, keys=one.keys) == one


def _clean(name: str) -> str:
    """A name that may stand in state, paths and task ids."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")[:100] or "stream"


def _stem(path: str) -> str:
    """`data/orders_*.csv.gz` → `orders`; a folder gives its own name."""
    parts = [part for part in re.split(r"[/\\]", path.split(",")[0]) if part and not set(part) <= set("*.?")]
    last = re.sub(r"[*?\[\]{}].*", "", parts[-1].partition(".")[0]) if parts else ""
    return last.strip("_-") or (parts[-2] if len(parts) > 1 else "file")
