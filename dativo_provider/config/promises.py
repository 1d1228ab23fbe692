"""What a contract promises (`slaProperties`) and says of itself (`customProperties`): checks and table properties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Any

from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.shapes.checks import Availability, Sla
from dativo_provider.config.shapes.contract import CustomProperty, SlaProperty
from dativo_provider.config.tags import is_tag, tags_of, text_of
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.checks import Rule

__all__ = ["custom_tags", "keeps_original", "not_enforced", "sla_of", "sla_rules", "sla_tags", "strength"]

Path = tuple[Key, ...]
_HOURS = {
    "ms": 1 / 3_600_000, "s": 1 / 3600, "sec": 1 / 3600, "second": 1 / 3600,
    "m": 1 / 60, "min": 1 / 60, "minute": 1 / 60, "h": 1, "hr": 1, "hour": 1, "d": 24, "day": 24,
    "w": 168, "wk": 168, "week": 168, "mo": 730, "month": 730, "y": 8760, "yr": 8760, "year": 8760,
}  # fmt: skip
_FRESHNESS = ("latency", "ly", "freshness", "fr")
_RETENTION = ("retention", "re")
_AVAILABILITY = ("availability", "av")
_KEEP = ("dativo.keep_original", "keep_original", "keepOriginal")


def sla_rules(
    promises: Sequence[SlaProperty], default_element: str | None, at: Within, path: Path
) -> Iterator[tuple[int, str, Rule]]:
    """`latency` and `freshness` become freshness checks: which promise, the table or nothing, and a check of the column
    for each element it names."""
    for number, promise in enumerate(promises):
        hours, word = _hours(promise), promise.property.lower()
        for element in (promise.element or default_element or "").split(","):
            table, _, column = element.strip().rpartition(".")
            if word in _FRESHNESS and hours is not None:
                body: dict[str, Any] = {"name": f"sla_{word}", "type": "freshness", "max_age_hours": hours}
                body |= {"column": column} if table else {}
                where = at.document.where((*at.prefix, *path, number))
                yield number, table or column, Rule("inline", body, declared_in=where)


def sla_of(promises: Sequence[SlaProperty] | None) -> Sla | None:
    """`availability` in percent is judged over the runs of 30 days, as that of an `sla:` block."""
    shares = [share for promise in promises or () if (share := _share(promise)) is not None]
    return Sla(availability=Availability(uptime_percentage=max(shares))) if shares else None


def strength(promise: SlaProperty) -> float | None:
    """Greater is better for consumers; None where nothing here knows what the promise means."""
    if promise.property.lower() in _FRESHNESS:
        hours = _hours(promise)
        return None if hours is None else -hours
    return _hours(promise) if promise.property.lower() in _RETENTION else _share(promise)


def not_enforced(promises: Sequence[SlaProperty] | None) -> list[str]:
    """Those that are kept for people and other tools."""
    return list(dict.fromkeys(promise.property for promise in promises or () if strength(promise) is None))


def sla_tags(promises: Sequence[SlaProperty]) -> dict[str, str]:
    days = [
        hours / 24
        for promise in promises
        if promise.property.lower() in _RETENTION and (hours := _hours(promise)) is not None
    ]
    return tags_of("governance", {"retention_days": int(days[0])}) if days else {}


def _share(promise: SlaProperty) -> float | None:
    value = _number(promise.value)
    of_hundred = (promise.unit or "percent").strip().lower() in ("%", "percent", "percentage", "pct")
    known = promise.property.lower() in _AVAILABILITY and of_hundred
    return value if known and value is not None and value <= 100 else None


def _hours(promise: SlaProperty) -> float | None:
    word = (promise.unit or "d").strip().lower()
    factor, value = _HOURS.get(word) or _HOURS.get(word.removesuffix("s")), _number(promise.value)
    return None if factor is None or value is None else value * factor


def _number(value: Any) -> float | None:
    """Above 0; `99.5 %` as well."""
    if isinstance(value, str):
        try:
            value = float(value.strip().removesuffix("%"))
        except ValueError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < inf else None


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
