"""Columns of a contract, in either form, and the rules that stand under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dativo_provider.config.evolution import as_json, custom_policies, former_names, parts_former_names
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.shapes.contract import OPERATORS, PropertyBase, QualityRule
from dativo_provider.config.types import BadType, column_type, doubtful_physical
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.checks import Rule
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.schema import Kinds
from dativo_provider.model.stream import Field

__all__ = ["column_policies", "columns", "no_name_twice", "partitions", "primary_key", "quality_rules"]

Path = tuple[Key, ...]


def columns(
    shapes: Sequence[PropertyBase], raw: Sequence[Mapping[str, Any]], at: Within, path: Path, findings: Findings
) -> tuple[tuple[Field, ...], list[Rule]]:
    """The columns and the rules that stand under them."""
    fields: list[Field] = []
    rules: list[Rule] = []
    for number, shape in enumerate(shapes):
        keys = (*path, number)
        if shape.semanticType == "measure":
            continue
        if made := _field(shape, at, keys, findings):
            fields.append(made)
            rules += column_rules(shape, raw[number], made, at, keys, findings)
    no_name_twice([each.name for each in fields], at, path, "column", findings)
    return tuple(fields), rules


def _field(shape: PropertyBase, at: Within, path: Path, findings: Findings) -> Field | None:
    name = shape.name or ""
    if not name.strip():
        findings.error(at, path, "'name' is missing in a column", "add `name:`")
        return None
    if name.lower().startswith("_dativo_"):
        findings.error(at, (*path, "name"), f"'{name}' begins with _dativo_, which system columns do", "rename it")
    if shape.physicalName and shape.physicalName != name:
        findings.warn(
            at, (*path, "physicalName"), "physicalName is not read", f"the source's column must be called '{name}'"
        )
    declared = getattr(shape, "type", None) or getattr(shape, "logicalType", None)
    try:
        kind = column_type(shape, declared)
    except BadType as bad:
        key = ("type",) if getattr(shape, "type", None) else ("logicalType",)
        findings.error(at, (*path, *(bad.path or key)), f"column '{name}': {bad.message}", bad.remedy)
        return None
    if hint := doubtful_physical(shape):
        message = f"column '{name}': physicalType '{shape.physicalType}' is not known here; the column becomes {kind}"
        findings.warn(at, (*path, "physicalType"), message, hint)
    options = shape.logicalTypeOptions
    chosen = as_json(shape, at, path, findings)
    if kind == "time":
        findings.warn(
            at, path, f"column '{name}' is a time of day: Spark 4.0 cannot read a table with one", "use string"
        )
    return Field(
        name=name,
        type="string" if chosen == "string" else kind,
        infer=chosen == "struct" and kind == "string",
        renamed_from=former_names(shape.customProperties),
        parts_renamed_from=tuple(parts_former_names(shape)),
        declared_in=at.document.where((*at.prefix, *path)),
        required=bool(shape.required),
        description=shape.description or "",
        classification=shape.classification or "",
        timezone=(options.defaultTimezone if options and options.defaultTimezone else "UTC"),
    )


def column_policies(shapes: Sequence[PropertyBase], at: Within, path: Path, findings: Findings) -> dict[str, Kinds]:
    """What single columns say about changes of theirs."""
    found = {
        str(shape.name): custom_policies(shape.customProperties, at, (*path, number), findings).kinds
        for number, shape in enumerate(shapes)
    }
    return {name: kinds for name, kinds in found.items() if kinds}


def no_name_twice(names: Sequence[str], at: Within, path: Path, what: str, findings: Findings) -> None:
    """Regardless of case: SQL engines and catalogs fold it."""
    seen: set[str] = set()
    for number, name in enumerate(names):
        if name.lower() in seen:
            findings.error(at, (*path, number), f"the {what} '{name}' stands twice", "column names ignore case")
        seen.add(name.lower())


def column_rules(
    shape: PropertyBase, raw: Mapping[str, Any], made: Field, at: Within, path: Path, findings: Findings
) -> list[Rule]:
    rules = []
    body = {key: value for key, value in (raw.get("logicalTypeOptions") or {}).items() if value is not None}
    limits = "logicalTypeOptions" if body else "enum" if raw.get("enum") else "unique"
    body.pop("required", None)  # of an object: which parts must be there
    for key in ("enum", "unique", "required"):
        if raw.get(key):
            body[key] = raw[key]
    if body.keys() - {"required", "timezone", "defaultTimezone"}:
        rules.append(Rule("odcs-options", body, made.name, at.document.where((*at.prefix, *path, limits))))
    rules += quality_rules(shape.quality, raw.get("quality"), made.name, at, (*path, "quality"), findings)
    _warn_of_nested(shape, at, path, findings)
    return rules


def _warn_of_nested(shape: PropertyBase, at: Within, path: Path, findings: Findings) -> None:
    for number, inner in enumerate(shape.properties or ()):
        if inner.quality or inner.required or inner.unique or inner.enum:
            findings.warn(
                at, (*path, "properties", number), f"rules inside '{shape.name}' are not checked by this version"
            )


def quality_rules(
    shapes: Sequence[QualityRule] | None, raw: Any, column: str, at: Within, path: Path, findings: Findings
) -> list[Rule]:
    rules = []
    for number, shape in enumerate(shapes or ()):
        keys = (*path, number)
        body = {key: value for key, value in raw[number].items() if value is not None}
        _check_rule(shape, body, at, keys, findings)
        rules.append(Rule("odcs", body, column, at.document.where((*at.prefix, *keys))))
    return rules


def _check_rule(shape: QualityRule, body: Mapping[str, Any], at: Within, path: Path, findings: Findings) -> None:
    operators = [key for key in OPERATORS if key in body]
    if len(operators) > 1:
        findings.error(
            at, (*path, operators[1]), f"a rule has one operator, not {' and '.join(operators)}", "use mustBeBetween"
        )
    for key in ("mustBeBetween", "mustNotBeBetween"):
        bounds = getattr(shape, key)
        if bounds and bounds[0] > bounds[1]:
            findings.error(at, (*path, key), f"{key} wants the smaller number first", "swap the two")
    kind = shape.type or ("library" if shape.metric or shape.rule else "")
    needed = {"sql": ("query",), "custom": ("engine", "implementation")}.get(kind, ())
    for key in needed:
        if not body.get(key):
            findings.error(at, path, f"a {kind} rule needs '{key}'", f"add `{key}:`")
    if kind == "library" and not (shape.metric or shape.rule):
        findings.error(at, path, "a library rule needs 'metric'", "nullValues, duplicateValues, rowCount, …")


def primary_key(shapes: Sequence[PropertyBase]) -> tuple[str, ...]:
    """Columns with `primaryKey`, by position and then as they stand."""
    found = [(shape.primaryKeyPosition or 0, number, shape.name or "") for number, shape in enumerate(shapes)
             if shape.primaryKey]  # fmt: skip
    last = len(shapes) + 1
    return tuple(name for _, _, name in sorted((at if at > 0 else last, number, name) for at, number, name in found))


def partitions(shapes: Sequence[PropertyBase], fields: Sequence[Field]) -> tuple[PartitionSpec, ...]:
    """`partitioned: true`: by day where the column is a moment, else by value."""
    kinds = {each.name: each.type for each in fields}
    found = sorted(
        (shape.partitionKeyPosition if (shape.partitionKeyPosition or 0) > 0 else len(shapes) + 1, number, shape.name)
        for number, shape in enumerate(shapes)
        if shape.partitioned and shape.name in kinds
    )
    return tuple(
        PartitionSpec(str(name), "day" if kinds[str(name)].startswith("timestamp") else "identity")
        for _, _, name in found
    )
