"""The older form of a contract as ODCS: columns with their rules, promises, people, and what is said of the asset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dativo_provider.cli.contracts import contract_of
from dativo_provider.config.contract import ContractSource
from dativo_provider.config.contracts import read_contract
from dativo_provider.config.yamlpos import read, without_nulls
from dativo_provider.model.checks import Rule
from dativo_provider.model.stream import Stream

__all__ = ["of_asset"]

_SAME = (
    "tenant", "domain", "dataProduct", "tags", "servers", "support", "price", "roles", "slaDefaultElement",
    "slaProperties", "authoritativeDefinitions", "contractCreatedTs",
)  # fmt: skip
_ENGINES = {"inline": "dativo", "custom": "dativo", "soda": "soda", "great_expectations": "greatExpectations"}
_BESIDE = ("enum", "unique", "required")  # stand in the column, beside its options


def of_asset(path: Path, name: str) -> dict[str, Any]:
    """Checks keep their words. What ODCS has no section for becomes custom properties, as tables carry it."""
    source = read_contract(path)
    table, document = source.tables[0], without_nulls(read(path).data)
    said = document.get("asset", document)
    made = contract_of(Stream(name or source.name, tuple(table.fields), primary_key=tuple(table.primary_key)))
    promised = {f"sla_{promise.property.lower()}" for promise in source.promises}
    for rule in (*table.rules, *source.rules):
        if rule.body.get("name") not in promised:
            _add(made["schema"][0], rule)
    return made | _facts(source) | {key: said[key] for key in _SAME if said.get(key)} | _custom(source, said)


def _facts(source: ContractSource) -> dict[str, Any]:
    facts = {
        "apiVersion": "v3.2.0", "id": source.id, "version": source.version, "status": source.status,
        "description": {"purpose": source.description} if source.description else {},
        "team": {"name": source.owner} if source.owner else {},
        "domain": source.domain, "dataProduct": source.data_product,
    }  # fmt: skip
    return {key: value for key, value in facts.items() if value}


def _custom(source: ContractSource, said: Mapping[str, Any]) -> dict[str, Any]:
    own = list(said.get("customProperties") or ())
    named = {each.get("property") for each in own}
    own += [{"property": key, "value": value} for key, value in source.properties.items() if key not in named]
    return {"customProperties": own} if own else {}


def _add(table: dict[str, Any], rule: Rule) -> None:
    place = next((each for each in table["properties"] if each["name"] == rule.column), table)
    body = dict(rule.body)
    if rule.language == "odcs-options":
        place |= {key: body.pop(key) for key in _BESIDE if key in body}
        if "enum" in place:
            place["enum"] = [each if isinstance(each, dict) else {"value": each} for each in place["enum"]]
        if body:
            place["logicalTypeOptions"] = {**place.get("logicalTypeOptions", {}), **body}
        return
    if rule.language != "odcs":
        body = {"type": "custom", "engine": _ENGINES[rule.language], "implementation": body}
    place.setdefault("quality", []).append(body)
