"""Which columns hold personal data: they get no bounds in manifests and may not shape paths (ARCHITECTURE 4.11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dativo_provider.model.personal import is_personal
from dativo_provider.model.stream import Field

__all__ = ["metrics_properties", "personal_columns"]


def personal_columns(fields: Iterable[Field]) -> frozenset[str]:
    return frozenset(field.name for field in fields if is_personal(field.classification))


def metrics_properties(columns: Iterable[str]) -> Mapping[str, str]:
    """Table properties that keep every engine from writing bounds of these columns."""
    return {f"write.metadata.metrics.column.{name}": "none" for name in sorted(columns)}
