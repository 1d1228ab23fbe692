"""ODCS contracts: tables, columns, rules, promises, owners."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dativo_provider.config.columns import (
    column_policies,
    columns,
    no_name_twice,
    partitions,
    primary_key,
    quality_rules,
)
from dativo_provider.config.contract import ContractSource, Policy, TableContract
from dativo_provider.config.evolution import check_former_names, custom_policies, dropped_columns
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.problems import did_you_mean
from dativo_provider.config.promises import custom_tags, keeps_original, sla_of, sla_rules, sla_tags
from dativo_provider.config.shapes.contract import (
    Contract,
    QualityRule,
    SchemaObject,
)
from dativo_provider.config.tags import tags_of
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, Key
from dativo_provider.model.schema import SchemaPolicies

__all__ = ["read_odcs"]

Path = tuple[Key, ...]
_RULE_KEYS = frozenset(QualityRule.model_fields)
_ARGUMENTS = frozenset({"pattern", "validValues", "missingValues", "properties"})


def read_odcs(doc: Document, findings: Findings) -> ContractSource | None:
    data, at = doc.data, Within(doc)
    if str(data.get("apiVersion", "")).lstrip("v").startswith(("3.0", "2.2")):
        _set_vendor_keys_aside(data, at, findings)
    _say_what_is_misplaced(data, at, findings)
    if isinstance(data.get("version"), float):
        data["version"] = doc.raw("version")
    shape = shaped(Contract, data, at, findings)
    if shape is None:
        return None
    _say_what_is_missing(shape, data, at, findings)
    tables = tuple(_table(item, number, data, at, findings) for number, item in enumerate(shape.schema_ or ()))
    no_name_twice([table.name for table in tables], at, ("schema",), "table", findings)
    tables = _with_promises(tables, shape, at, findings)
    below = custom_policies(shape.customProperties, at, (), findings)
    tables = tuple(replace(table, schema_policies=table.schema_policies.over(below)) for table in tables)
    name = shape.name or (tables[0].name if len(tables) == 1 else shape.dataProduct or shape.id or "contract")
    return ContractSource(
        form="odcs",
        path=doc.path,
        name=name,
        version=shape.version,
        id=shape.id or "",
        status=shape.status or "active",
        description=_description(shape.description),
        owner=_owner(shape.team),
        domain=shape.domain or "",
        data_product=shape.dataProduct or "",
        properties={
            **tags_of("governance", {"owner": _owner(shape.team)}),
            **sla_tags(shape.slaProperties or ()),
            **custom_tags(shape.customProperties, at, ("customProperties",), findings),
        },
        tables=tables,
        policy=Policy(keep_original=keeps_original(shape.customProperties), sla=sla_of(shape.slaProperties)),
        promises=tuple(shape.slaProperties or ()),
    )


def _with_promises(
    tables: tuple[TableContract, ...], shape: Contract, at: Within, findings: Findings
) -> tuple[TableContract, ...]:
    """Each promise that can be checked goes to the table its element names."""
    path: Path = ("slaProperties",)
    for promise, table, rule in sla_rules(shape.slaProperties or (), shape.slaDefaultElement, at, path):
        column = rule.body.get("column")
        fits = [
            number
            for number, each in enumerate(tables)
            if (not table or table in (each.name, each.physical_name) or len(tables) == 1)
            and (not column or any(column == item.name for item in each.fields))
        ]
        if not fits:
            element = f"{table}.{column}" if column else table
            missing = f"'{element}' is no column of this contract: its {rule.body['name']} is not checked"
            findings.warn(at, (*path, promise, "element"), missing)
        tables = tuple(
            replace(each, rules=(*each.rules, rule)) if number in fits else each for number, each in enumerate(tables)
        )
    return tables


def _say_what_is_missing(shape: Contract, data: Mapping[str, Any], at: Within, findings: Findings) -> None:
    for key in ("apiVersion", "kind", "id"):
        if data.get(key) is None:
            findings.warn(at, (), f"'{key}' is missing: ODCS asks for it", f"add `{key}:`")
    if not shape.schema_:
        findings.warn(at, ("schema",), "the contract describes no table", "add `schema:` with `properties:`")


def _set_vendor_keys_aside(data: dict[str, Any], at: Within, findings: Findings) -> None:
    """ODCS 3.0 lets quality rules carry keys of vendors. Those that look like a misspelt key stay, to be refused."""
    for path, body in _rule_bodies(data):
        for key in [key for key in body if key not in _RULE_KEYS and key not in _ARGUMENTS]:
            if not did_you_mean(key, _RULE_KEYS, 0.8):
                findings.warn(at, (*path, key), f"'{key}' is not a key of ODCS and is not read", value=False)
                del body[key]


def _say_what_is_misplaced(data: dict[str, Any], at: Within, findings: Findings) -> None:
    """The standard's own example indents `pattern:` as if it stood beside `arguments:`."""
    for path, body in _rule_bodies(data):
        if "arguments" in body and not body["arguments"]:
            for key in [key for key in body if key in _ARGUMENTS]:
                findings.error(
                    at, (*path, key), f"'{key}' stands beside `arguments:`", "indent it, so that it stands below"
                )
                del body[key]


def _rule_bodies(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path, element in _elements(data.get("schema"), ("schema",)):
        rules = element.get("quality")
        for number, body in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(body, dict):
                yield (*path, "quality", number), body


def _elements(items: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield (*path, number), item
            yield from _elements(item.get("properties"), (*path, number, "properties"))


def _table(item: SchemaObject, number: int, data: dict[str, Any], at: Within, findings: Findings) -> TableContract:
    path: Path = ("schema", number)
    raw = data["schema"][number]
    found, rules = columns(item.properties or (), raw.get("properties") or [], at, (*path, "properties"), findings)
    rules += quality_rules(item.quality, raw.get("quality"), "", at, (*path, "quality"), findings)
    dropped = dropped_columns(item.customProperties)
    check_former_names(found, dropped, at, (*path, "properties"), findings)
    single = SchemaPolicies(columns=column_policies(item.properties or (), at, (*path, "properties"), findings))
    return TableContract(
        name=item.name,
        physical_name=item.physicalName or "",
        description=item.description or "",
        fields=found,
        primary_key=primary_key(item.properties or ()),
        rules=tuple(rules),
        partitioning=partitions(item.properties or (), found),
        schema_policies=single.over(custom_policies(item.customProperties, at, path, findings)),
        dropped=dropped,
        declared_in=at.document.where((*at.prefix, *path, "properties")),
    )


def _description(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("purpose") or value.get("usage")
    return value.strip() if isinstance(value, str) else ""


def _owner(team: Any) -> str:
    """The member whose role says owner (3.0: a list, 3.1: an object), else the team's name."""
    members = team.get("members") if isinstance(team, dict) else team
    for member in members if isinstance(members, list) else ():
        if isinstance(member, dict) and "owner" in str(member.get("role", "")).lower():
            return str(member.get("username") or member.get("name") or "")
    return str(team.get("name") or "") if isinstance(team, dict) else ""
