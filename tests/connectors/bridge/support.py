"""Environments that are made in no time: one script, run by our own interpreter without its packages."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dativo_provider.envs.packages import package_recipe
from dativo_provider.envs.place import Made
from tests.conformance.readers import Row

__all__ = ["an_environment", "as_json"]


def an_environment(envs: Path, requirement: str, command: str, script: Path) -> Path:
    """`envs`, in which the package has that command."""
    recipe = package_recipe(requirement)
    folder = envs / recipe.name
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    made = folder / "bin" / command
    made.write_text(f"#!{sys.executable} -ISB\n{script.read_text()}")
    made.chmod(0o755)
    Made.of(recipe.name, recipe.requirements, {"python": "3", "versions": {}}, "").write(folder)
    return envs


def as_json(rows: Sequence[Row]) -> str:
    """A line each; numbers keep their digits."""
    return "".join(
        f'{{"id": {each["id"]}, "name": {_text(each["name"])}, '
        f'"amount": {"null" if each["amount"] is None else each["amount"]}, '
        f'"updated_at": "{each["updated_at"].isoformat(timespec="microseconds").replace("+00:00", "Z")}"}}\n'
        for each in rows
    )


def _text(value: Any) -> str:
    return json.dumps(value)
