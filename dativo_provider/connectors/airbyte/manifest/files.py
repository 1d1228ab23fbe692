"""Manifests in files: what they come to, and what has no counterpart."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.yamlpos import Document
from dativo_provider.connectors.airbyte.manifest.translate import Translated, translated

__all__ = ["problems", "spec_text", "translation"]


def translation(doc: Document) -> Translated:
    """The connector is called like the file, or like the folder of a file called manifest. Schemas that lie beside it
    in `schemas/` are read. Raises `ConfigurationError`."""
    path = Path(doc.path)
    stem = path.parent.name if path.stem == "manifest" else path.stem
    name = re.sub(r"[^a-z0-9]+", "_", stem.lower()).strip("_")
    return translated(doc.data, name if name[:1].isalpha() else f"api_{name}", lambda name: _schema(path.parent, name))


def _schema(folder: Path, name: str) -> Mapping[str, Any] | None:
    if not re.fullmatch(r"\w+", name):
        return None
    try:
        found = json.loads((folder / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def problems(doc: Document) -> list[Problem]:
    """An error for each stream that is left out, a warning for what is read without."""
    return [
        Problem(
            doc.path, 1, 1, each.path, f"{each.path}: {each.what}",
            "the stream is left out; write it into a spec of your own" if each.grave else "",
            "error" if each.grave else "warning",
        )
        for each in translation(doc).unmapped
    ]  # fmt: skip


def spec_text(doc: Document) -> str:
    """Raises `InvalidConfig` when no stream of it can be read."""
    found = translation(doc)
    if not found.spec["streams"]:
        raise InvalidConfig(problems(doc))
    return json.dumps(found.spec)
