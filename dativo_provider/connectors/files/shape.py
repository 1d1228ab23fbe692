"""Options that make other rows of the same bytes: a delimiter, a header, an encoding. State keeps a hash of them.

Fingerprints of files do not tell: rows that were read by other options stay as they are until they are read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.windows import files_of, whole_window
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Window, WindowRequest

__all__ = ["reshaped", "shape_of"]

_OTHERS = "the options that shape rows are others now"


def shape_of(options: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()[:12]


def reshaped(stream: StreamSpec, request: WindowRequest, files: Sequence[Found], shape: str, made: Window) -> Window:
    """`made`, unless files were read by other options: then everything, or a note that their rows stay as they are."""
    before = request.since.value.get("shape", shape) if request.since else shape
    if before == shape or request.full or request.start or request.end or not files_of(request.since):
        return made
    if stream.on_changed_file == "replace":
        return whole_window(stream, files, f"reading everything again, because {_OTHERS}")
    note = f"{_OTHERS}: rows of files that were read before stay as they are; --full-refresh reads these again"
    return replace(made, notes=(*made.notes, note))
