"""The profile that costs nothing: what footers of the staged files tell, and no row is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.model.personal import is_personal
from dativo_provider.model.stream import Field
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.metrics.query import as_json
from dativo_provider.quality.profile.model import ColumnProfile, Profile

__all__ = ["light_profile"]


def light_profile(scene: Scene) -> Profile:
    """Rows, NULLs, least and greatest values. A column that footers do not tell of is left out."""
    known = scene.facts([field.name for field in scene.fields]) if scene.rows else {}
    columns = (_column(field, scene.rows, known[field.name]) for field in scene.fields if known.get(field.name))
    return Profile(scene.rows, tuple(columns), by="footers")


def _column(field: Field, rows: int, known: Mapping[str, Any]) -> ColumnProfile:
    personal = is_personal(field.classification)
    bounds = {} if personal else {end: as_json(known.get(end)) for end in ("min", "max")}
    share = round(known["nulls"] / rows, 6)
    return ColumnProfile(field.name, field.type, known["nulls"], share, personal=personal, **bounds)
