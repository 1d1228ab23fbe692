"""Entries and contracts become streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dativo_provider.config.apis import ApiStream
from dativo_provider.config.blocks import columns_of
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.config.entries import Entry, entries
from dativo_provider.config.incremental import incremental
from dativo_provider.config.lookup import Contracts
from dativo_provider.config.making import Making
from dativo_provider.config.problems import Problem, did_you_mean, listed
from dativo_provider.config.tags import tags_of
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.checks import Rule
from dativo_provider.model.handling import Handling
from dativo_provider.model.job import ContractSpec, StreamSpec
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field

__all__ = ["known_column", "streams"]

_DOC_ID = ("doc_id",)


def streams(making: Making, contracts: Contracts, extra: Sequence[Rule], made: Sequence[str]) -> tuple[StreamSpec, ...]:
    """`extra` are the job's own rules; `made` the columns its transformations add."""
    found = entries(making)
    built = [_stream(making, entry, len(found), contracts, extra, made) for entry in found]
    tables: dict[str, str] = {}
    for entry, stream in zip(found, built, strict=True):
        if tables.get(stream.table, stream.name) != stream.name:
            making.error(
                entry.keys, f"streams '{tables[stream.table]}' and '{stream.name}' end in one table, '{stream.table}'",
                "give each its own `object:`",
            )  # fmt: skip
        tables[stream.table] = stream.name
    return tuple(built)


def _stream(
    making: Making, entry: Entry, count: int, contracts: Contracts, extra: Sequence[Rule], made: Sequence[str]
) -> StreamSpec:
    source = contracts.for_entry(entry)
    table = _chosen(making, source, entry, count) if source else None
    contract = _contract(making, source, table, extra) if source else ContractSpec("", rules=tuple(extra))
    below = making.policy.handling
    handling = making.handling.over((source.policy.handling if source else Handling()).over(below))
    contract = replace(contract, handling=handling)
    name = entry.name if entry.named or count > 1 or table is None else _table_name(_wanted_name(source, table))
    api = making.apis.get(entry.object) or making.apis.get(entry.name) or ApiStream()
    key = entry.key or tuple(making.source.key) or contract.primary_key or (_DOC_ID if making.documents else api.key)
    stream = StreamSpec(
        name=name,
        object=entry.object,
        table=_table_name(_wanted_name(source, table) if count == 1 and table else name),
        contract=contract,
        columns=entry.columns,
        where=entry.where,
        query=entry.query,
        key=key,
        incremental=incremental(making, entry, contract.fields, key, api.cursor),
        on_changed_file=entry.on_changed_file or making.source.on_changed_file,  # type: ignore[arg-type]
        options=dict(entry.options),
        documents=making.documents,
    )
    if making.documents and making.runnable and not api.document:
        _refuse_rows(making, entry)
    _check_names(making, entry, stream, made)
    return stream


def _refuse_rows(making: Making, entry: Entry) -> None:
    able = listed([name for name, each in making.apis.items() if each.document])
    making.error(entry.keys, f"'{entry.name}' has no documents to be stored one a row", f"it has documents: {able}")


def _wanted_name(source: ContractSource | None, table: TableContract | None) -> str:
    return table.name if table else source.name if source else ""


def _table_name(name: str) -> str:
    made = re.sub(r"[- ]", "_", name.lower())
    return re.sub(r"[^a-z0-9_]+", "_", made).strip("_") or "data"


def _chosen(making: Making, source: ContractSource, entry: Entry, count: int) -> TableContract | None:
    """The contract's table for this stream: by name, or the only one of it."""
    if not source.tables:
        return None
    if len(source.tables) == 1 and (count == 1 or source.form == "asset" or entry.asset or entry.asset_path):
        return source.tables[0]
    wanted = {entry.name.lower(), entry.object.lower(), entry.object.rpartition(".")[2].lower()}
    for table in source.tables:
        if wanted & {table.name.lower(), table.physical_name.lower(), _table_name(table.name)}:
            return table
    names = [table.name for table in source.tables]
    hint = did_you_mean(entry.name, names)
    making.judge(
        entry.keys,
        f"the contract {making.shown(source.path)} has no table for stream '{entry.name}' (it has: {listed(names)})",
        hint or "name the stream with `object:` as the contract does",
    )
    return None


def _contract(
    making: Making, source: ContractSource, table: TableContract | None, extra: Sequence[Rule]
) -> ContractSpec:
    fields = _reclassified(making, table.fields if table else ())
    governance = making.job.governance_overrides
    days = source.policy.quarantine_days if making.quarantine_days is None else making.quarantine_days
    properties = {
        **source.properties,
        **tags_of("asset", {"name": source.name, "version": source.version, "domain": source.domain,
                            "data_product": source.data_product}),
        **tags_of("governance", governance),
        **tags_of("finops", making.job.finops),
        **({} if days is None else {"dativo.quarantine.retention_days": str(days)}),
        **tags_of("classification", {each.name: each.classification for each in fields}),
        **tags_of("classification", making.job.classification_overrides),
    }  # fmt: skip
    return ContractSpec(
        name=source.name,
        version=source.version,
        id=source.id,
        status=source.status,
        path=source.path,
        fields=fields,
        primary_key=table.primary_key if table else (),
        rules=(*(table.rules if table else ()), *source.rules, *extra),
        description=(table.description if table else "") or source.description,
        owner=_text(governance, "owner") or source.owner,
        domain=_text(governance, "domain") or source.domain,
        data_product=_text(governance, "data_product") or source.data_product,
        properties=properties,
        declared_in=table.declared_in if table else "",
        dropped=table.dropped if table else (),
        schema_policies=table.schema_policies if table else SchemaPolicies(),
        keep_original=making.keep_original or source.policy.keep_original,
    )


def _text(values: Mapping[str, Any], key: str) -> str:
    return str(values[key]) if values.get(key) else ""


def _reclassified(making: Making, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    given = making.job.classification_overrides
    if not given:
        return fields
    return tuple(replace(each, classification=given.get(each.name, each.classification)) for each in fields)


def _check_names(making: Making, entry: Entry, stream: StreamSpec, made: Sequence[str]) -> None:
    """Every column that is named somewhere must be one; without a contract only the source knows."""
    names = [each.name for each in stream.contract.fields]
    if not names:
        return
    known = [*names, *made]
    for number, column in enumerate(entry.key):
        known_column(making, column, known, (*entry.keys, "key", number), "key")
    for number, column in enumerate(() if entry.key else making.source.key):
        known_column(making, column, known, ("source", "key", number), "key")
    cursor = stream.incremental.cursor_field
    if cursor:
        known_column(making, cursor, known, _cursor_keys(entry), "cursor_field")
    for column in making.job.classification_overrides:
        if column != "default":
            known_column(making, column, known, ("classification_overrides", column), "classification_overrides")
    for rule in stream.contract.rules:
        _check_rule(making, rule, known)
    _check_columns_read(making, entry, stream)


def _cursor_keys(entry: Entry) -> tuple[Key, ...]:
    if entry.cursor_field:
        return (*entry.keys, "cursor_field")
    return ("source", "incremental", "cursor_field")


def known_column(making: Making, column: str, known: Sequence[str], keys: tuple[Key, ...], what: str) -> bool:
    if column in known:
        return True
    hint = did_you_mean(column, known)
    has = f"(has: {listed(known, 12)})"
    making.judge(keys, f"{what} '{column}' is not a column of the contract {has}", hint)
    return False


def _check_rule(making: Making, rule: Rule, known: Iterable[str]) -> None:
    columns = {name.casefold() for name in known}
    for column in columns_of(rule):
        if column.casefold() not in columns and rule.language in ("inline", "odcs"):
            path, line, place = _split(rule.declared_in)
            message = f"check names column '{column}', which the contract does not have (has: {listed(known, 12)})"
            severity = "error" if making.runnable else "warning"
            found = Problem(path, line, place, "", message, did_you_mean(column, known), severity)  # type: ignore[arg-type]
            making.findings.extend([found])


def _split(declared_in: str) -> tuple[str, int, int]:
    path, line, column = declared_in.rsplit(":", 2)
    return path, int(line), int(column)


def _check_columns_read(making: Making, entry: Entry, stream: StreamSpec) -> None:
    """A required column that is not read could never be there."""
    read = set(stream.columns)
    if not read:
        return
    missing = [each.name for each in stream.contract.fields if each.required and each.name not in read]
    if missing:
        making.judge(
            (*entry.keys, "columns"),
            f"the contract requires {listed(missing)}, which is not read",
            "add it to `columns`",
        )
    names = {each.name for each in stream.contract.fields}
    for number, column in enumerate(stream.columns):
        if column not in names:
            hint = did_you_mean(column, names)
            making.warn((*entry.keys, "columns", number), f"'{column}' is not in the contract and is dropped", hint)
