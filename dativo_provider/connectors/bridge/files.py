"""Files that a connector is given: for its eyes only, and gone with its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["private"]


def private(path: Path, value: Any) -> str:
    """Writes `value` as JSON into a new file that nobody else may read; its name."""
    import msgspec

    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.Encoder(decimal_format="number").encode(value))
    return str(path)
