"""Tags as table properties: `dativo.classification.*`, `.governance.*`, `.finops.*`, `.asset.*` (TAG-02, SN-08).

Source < asset < job. Values are text, lists joined by commas. Names the engine itself keeps in table properties
(`dativo.tenant`, `dativo.state.…`) can not be set from a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["is_tag", "tags_of", "text_of"]

_GROUPS = ("classification", "governance", "finops", "asset")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,126}")


def is_tag(name: str) -> bool:
    """Whether a file may set this table property."""
    parts = name.split(".", 2)
    return len(parts) == 3 and parts[0] == "dativo" and parts[1] in _GROUPS and bool(_NAME.fullmatch(parts[2]))


def tags_of(group: str, values: Mapping[str, Any]) -> dict[str, str]:
    """`{"project": "x"}` of `finops` → `{"dativo.finops.project": "x"}`; empty values are left out."""
    named = ((f"dativo.{group}.{key}", text_of(value)) for key, value in values.items())
    return {name: text for name, text in named if text and is_tag(name)}


def text_of(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(text_of(each) for each in value)
    return str(value)
