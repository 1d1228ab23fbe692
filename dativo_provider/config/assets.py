"""The older asset files, flat or wrapped in `asset:`, and files of checks (`data_contract:`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dativo_provider.config.blocks import block_rules, inline_rules, policy_of
from dativo_provider.config.columns import column_policies, columns, primary_key
from dativo_provider.config.contract import ContractSource, Policy, TableContract
from dativo_provider.config.evolution import (
    check_former_names,
    custom_policies,
    dropped_columns,
    mode_policies,
    of_schema_contract,
)
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.promises import custom_tags, sla_of, sla_rules, sla_tags
from dativo_provider.config.shapes.asset import Asset, WrappedAsset
from dativo_provider.config.shapes.contract import ContractFile, ContractFileBody
from dativo_provider.config.tags import tags_of
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, Key, without_nulls
from dativo_provider.model.checks import Rule
from dativo_provider.model.schema import SchemaPolicies

__all__ = ["read_asset", "read_checks"]

Path = tuple[Key, ...]


def read_asset(doc: Document, findings: Findings) -> ContractSource | None:
    data: dict[str, Any] = without_nulls(doc.data)
    wrapped = "asset" in data
    prefix: Path = ("asset",) if wrapped else ()
    at = Within(doc, prefix)
    inner = data["asset"] if wrapped else data
    if isinstance(inner, dict) and isinstance(inner.get("version"), float):
        inner["version"] = doc.raw(*prefix, "version")
    if wrapped:
        outer = shaped(WrappedAsset, data, Within(doc), findings)
        shape = outer.asset if outer else None
    else:
        shape = shaped(Asset, data, at, findings)
    return _asset(shape, inner, at, findings) if shape else None


def _asset(shape: Asset, data: dict[str, Any], at: Within, findings: Findings) -> ContractSource:
    fields, rules = columns(shape.schema_, data.get("schema") or [], at, ("schema",), findings)
    owner = _owner(shape)
    if not owner:
        findings.warn(at, ("team",), "'team.owner' is missing: nobody answers for the data", "add `team: {owner: …}`")
    _check_monitoring(shape, at, findings)
    rules += _file_rules(shape, data, at, findings)
    dropped = dropped_columns(shape.customProperties)
    check_former_names(fields, dropped, at, ("schema",), findings)
    table = TableContract(
        shape.name,
        description=_purpose(shape),
        fields=fields,
        primary_key=primary_key(shape.schema_),
        rules=tuple(rules),
        schema_policies=_policies(shape, at, findings),
        dropped=dropped,
        declared_in=at.document.where((*at.prefix, "schema")),
    )
    return ContractSource(
        form="asset",
        path=at.document.path,
        name=shape.name,
        version=shape.version,
        id=shape.id,
        status=shape.status,
        description=_purpose(shape),
        owner=owner,
        domain=shape.domain or (shape.governance.domain if shape.governance else ""),
        data_product=shape.dataProduct or (shape.governance.data_product if shape.governance else ""),
        properties=_tags(shape, owner, at, findings),
        tables=(table,),
        policy=_policy(shape),
        promises=tuple(shape.slaProperties or ()),
        target=shape.target.model_dump(exclude_none=True) if shape.target else {},
        unsupported=_unsupported(shape),
    )


def _policy(shape: Asset) -> Policy:
    """An `sla:` block before what `slaProperties` promise."""
    policy = policy_of(shape.data_contract)
    return replace(policy, sla=policy.sla or sla_of(shape.slaProperties))


def _policies(shape: Asset, at: Within, findings: Findings) -> SchemaPolicies:
    """A column's own before the asset's, before its contract block's, before its `target.mode`."""
    single = SchemaPolicies(columns=column_policies(shape.schema_, at, ("schema",), findings))
    block = of_schema_contract(shape.data_contract.schema_contract if shape.data_contract else None)
    mode = mode_policies(shape.target.mode if shape.target else None)
    return single.over(custom_policies(shape.customProperties, at, (), findings)).over(block).over(mode)


def _check_monitoring(shape: Asset, at: Within, findings: Findings) -> None:
    monitoring = shape.data_quality.monitoring if shape.data_quality else None
    if monitoring and monitoring.enabled and not monitoring.oncall_rotation:
        findings.error(
            at, ("data_quality", "monitoring"), "monitoring is enabled but nobody is called", "add `oncall_rotation:`"
        )


def _file_rules(shape: Asset, data: dict[str, Any], at: Within, findings: Findings) -> list[Rule]:
    quality = data.get("data_quality") or {}
    rules = list(inline_rules(quality.get("expectations"), at, ("data_quality", "expectations"), findings))
    if shape.data_contract and shape.data_contract.enabled:
        rules += block_rules(data["data_contract"], at, ("data_contract",), findings)
    rules += [rule for _, _, rule in sla_rules(shape.slaProperties, shape.slaDefaultElement, at, ("slaProperties",))]
    return rules


def _owner(shape: Asset) -> str:
    return (shape.team.owner if shape.team else "") or (shape.governance.owner if shape.governance else "")


def _purpose(shape: Asset) -> str:
    return str(shape.description.get("purpose") or "").strip()


def _tags(shape: Asset, owner: str, at: Within, findings: Findings) -> dict[str, str]:
    """§3.8's names below `dativo.`; the older `governance:` fills what `team` and `compliance` leave open."""
    old, legal = shape.governance, shape.compliance
    classes = (legal.classification if legal else []) or (old.classification if old else [])
    days = legal.retention_days if legal and legal.retention_days is not None else old.retention_days if old else None
    governance = {
        "owner": owner,
        "retention_days": days,
        "regulations": (legal.regulations if legal else []) or (old.regulations if old else []),
        "tags": shape.tags or (old.tags if old else []),
    }
    return {
        **tags_of("classification", {"default": classes[0] if classes else ""}),
        **tags_of("governance", governance),
        **tags_of("finops", shape.finops),
        **tags_of("asset", {"source_type": shape.source_type, "object": shape.object}),
        **sla_tags(shape.slaProperties),
        **custom_tags(shape.customProperties, at, ("customProperties",), findings),
    }


def _unsupported(shape: Asset) -> tuple[str, ...]:
    blocks = {"features": shape.features, "feature_store": shape.feature_store, "ml_platforms": shape.ml_platforms}
    return tuple(
        f"the asset's `{name}` block is not executed by this version" for name, block in blocks.items() if block
    )


def read_checks(doc: Document, findings: Findings) -> ContractSource | None:
    """`data_contract:` files hold checks for columns that `asset_ref` describes."""
    data: dict[str, Any] = without_nulls(doc.data)
    body = data.get("data_contract")
    if isinstance(body, dict):
        for key in [key for key in data if key in ContractFileBody.model_fields and key != "data_contract"]:
            body.setdefault(key, data.pop(key))
        if isinstance(body.get("version"), float):
            body["version"] = doc.raw("data_contract", "version")
    outer = shaped(ContractFile, data, Within(doc), findings)
    if outer is None or not isinstance(body, dict):
        return None
    at, shape = Within(doc, ("data_contract",)), outer.data_contract
    return ContractSource(
        form="checks",
        path=doc.path,
        name=shape.name or "contract",
        version=shape.version or "0.0.0",
        status=shape.status,
        description=shape.description,
        owner=shape.owner,
        properties={
            **tags_of("governance", {"owner": shape.owner, "tags": shape.tags}),
            **tags_of("classification", {"default": shape.classification[0] if shape.classification else ""}),
        },
        rules=block_rules(body, at, (), findings) if shape.enabled else (),
        policy=policy_of(shape),
        schema_policies=of_schema_contract(shape.schema_contract),
        asset_ref=shape.asset_ref,
    )
