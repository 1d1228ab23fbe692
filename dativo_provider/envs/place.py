"""Environments on disk: `<envs>/<name>` is a link to the folder that was made last, `dativo.json` says what is in it.

The link is set in one step, when the environment has proved itself; until then nobody sees it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dativo_provider.envs.recipe import Recipe

__all__ = ["Made", "drift", "installed", "interpreter", "made"]

MANIFEST = "dativo.json"
_LIST = (
    "import importlib.metadata as m, json, platform\n"
    "found = {d.metadata['Name'].lower().replace('_', '-'): d.version for d in m.distributions()}\n"
    "print(json.dumps({'python': platform.python_version(), 'versions': found}))"
)


@dataclass(frozen=True)
class Made:
    """What an environment held when it was made. `hash` is over `python` and `versions`."""

    name: str
    requirements: tuple[str, ...]
    python: str
    versions: Mapping[str, str] = field(default_factory=dict)
    hash: str = ""
    made_at: str = ""

    @classmethod
    def of(cls, name: str, requirements: tuple[str, ...], found: Mapping[str, Any], made_at: str) -> Made:
        versions = dict(sorted(found["versions"].items()))
        return cls(name, requirements, found["python"], versions, _hash(found["python"], versions), made_at)

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def _hash(python: str, versions: Mapping[str, str]) -> str:
    lines = [f"python=={python}", *(f"{name}=={version}" for name, version in sorted(versions.items()))]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def made(envs: Path, name: str) -> Made | None:
    """None when there is no such environment, or not a whole one."""
    try:
        found = json.loads((envs / name / MANIFEST).read_text(encoding="utf-8"))
        return Made(**{**found, "requirements": tuple(found["requirements"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def interpreter(envs: Path, name: str) -> Path | None:
    """The Python of that environment; None when there is none."""
    python = envs / name / "bin" / "python"
    return python if made(envs, name) and python.exists() else None


def installed(python: Path) -> dict[str, Any]:
    """`python` and `versions` of what that interpreter has. Raises `OSError` or `subprocess.SubprocessError`."""
    done = subprocess.run([str(python), "-I", "-c", _LIST], check=True, capture_output=True, text=True, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def drift(envs: Path, recipe: Recipe) -> list[str]:
    """Sentences on what is not as it was made, or not as this version of Dativo wants it; none when all is well."""
    then = made(envs, recipe.name)
    if then is None:
        return ["it has not been made"]
    found = [] if then.requirements == recipe.requirements else ["it was made by another version of Dativo"]
    try:
        now = installed(envs / recipe.name / "bin" / "python")
    except (OSError, ValueError, subprocess.SubprocessError):
        return [*found, "its interpreter does not start"]
    if _hash(now["python"], now["versions"]) != then.hash:
        found += list(_changes({"python": then.python, **then.versions}, {"python": now["python"], **now["versions"]}))
    return found


def _changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name} was {then.get(name, 'absent')} and is {now.get(name, 'absent')}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
