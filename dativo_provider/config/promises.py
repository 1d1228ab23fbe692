"""What a contract promises (`slaProperties`) and says of itself (`customProperties`): checks and table properties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.shapes.contract import CustomProperty, SlaProperty
from dativo_provider.config.tags import is_tag, tags_of, text_of
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.checks import Rule

__all__ = ["custom_tags", "keeps_original", "sla_rules", "sla_tags"]

Path = tuple[Key, ...]
_HOURS = {
    "s": 1 / 3600, "m": 1 / 60, "min": 1 / 60, "h": 1, "hr": 1, "d": 24, "w": 168, "mo": 730, "y": 8760, "yr": 8760,
}  # fmt: skip
_FRESHNESS = ("latency", "ly", "freshness", "fr")
_KEEP = ("dativo.keep_original", "keep_original", "keepOriginal")


def sla_rules(
    promises: Sequence[SlaProperty], default_element: str | None, at: Within, path: Path
) -> Iterator[tuple[str, Rule]]:
    """`latency` and `freshness` become freshness checks: (table or empty, check of the column the element names)."""
    for number, promise in enumerate(promises):
        hours = _hours(promise)
        if promise.property.lower() not in _FRESHNESS or hours is None:
            continue
        body: dict[str, Any] = {"name": f"sla_{promise.property.lower()}", "type": "freshness", "max_age_hours": hours}
        table, _, column = (promise.element or default_element or "").split(",")[0].strip().rpartition(".")
        if table:
            body["column"] = column
        yield table or column, Rule("inline", body, declared_in=at.document.where((*at.prefix, *path, number)))


def sla_tags(promises: Sequence[SlaProperty]) -> dict[str, str]:
    days = [
        hours / 24
        for promise in promises
        if promise.property.lower() in ("retention", "re") and (hours := _hours(promise)) is not None
    ]
    return tags_of("governance", {"retention_days": int(days[0])}) if days else {}


def _hours(promise: SlaProperty) -> float | None:
    word = (promise.unit or "d").strip().lower()
    factor = _HOURS.get(word) or _HOURS.get(word.rstrip("s")) or _HOURS.get(word[:2]) or _HOURS.get(word[:1])
    value = promise.value
    if factor is None or isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        return None
    return value * factor


def custom_tags(found: Sequence[CustomProperty] | None, at: Within, path: Path, findings: Findings) -> dict[str, str]:
    """`dativo.…` custom properties become table properties; the engine's own names are refused."""
    tags = {}
    for number, each in enumerate(found or ()):
        if not each.property.startswith("dativo.") or each.property in _KEEP:
            continue
        if is_tag(each.property):
            tags[each.property] = text_of(each.value)
        else:
            findings.error(
                at,
                (*path, number, "property"),
                f"'{each.property}' can not be set from a file",
                "use dativo.classification.…, dativo.governance.…, dativo.finops.… or dativo.asset.…",
            )
    return tags


def keeps_original(found: Sequence[CustomProperty] | None) -> bool:
    """Whether quarantined rows keep masked columns in clear."""
    return any(each.property in _KEEP and each.value is True for each in found or ())
