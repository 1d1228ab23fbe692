"""Environments for packages that jobs name: one for each pinned package, called by its name and version."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from dativo_provider.envs.place import Made, made
from dativo_provider.envs.recipe import Recipe
from dativo_provider.errors import ConfigurationError

__all__ = ["command", "environments", "package_recipe"]

_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)(\[[\w.,-]+\])?\s*==\s*([A-Za-z0-9][\w.!+]*)")
_FROM = re.compile(r"([A-Za-z0-9][\w.-]*)(\[[\w.,-]+\])?\s*@\s*(\S+)")  # PEP 508: tap-x @ git+https://host/tap-x@v1
_HEX = 10


def package_recipe(requirement: str) -> Recipe:
    """Of `name==version`, or `name @ url`. Raises `ConfigurationError` for what is not pinned."""
    if found := _PINNED.fullmatch(requirement.strip()):
        package, extras, version = found[1], found[2] or "", found[3]
        return _recipe(package, extras, version, f"{package}{extras}=={version}")
    if found := _FROM.fullmatch(requirement.strip()):
        package, extras, url = found[1], found[2] or "", found[3]
        version = hashlib.sha256(url.encode()).hexdigest()[:_HEX]
        return _recipe(package, extras, version, f"{package}{extras} @ {url}")
    raise ConfigurationError(
        f"'{requirement}' names no version", remedy="write name==version, or name @ git+https://…@tag"
    )


def _recipe(package: str, extras: str, version: str, requirement: str) -> Recipe:
    name = "-".join(_plain(each) for each in (package, extras, version) if each)
    return Recipe(name, f"{package} {version}", (requirement,), (), package=package)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")


def environments(envs: Path) -> Iterator[Made]:
    """Every environment of a package that was made."""
    for link in sorted(envs.glob("[!.]*")) if envs.is_dir() else ():
        found = made(envs, link.name)
        if found and len(found.requirements) == 1 and _names_package(found):
            yield found


def _names_package(found: Made) -> bool:
    try:
        return package_recipe(found.requirements[0]).name == found.name
    except ConfigurationError:
        return False


def command(envs: Path, requirement: str, name: str) -> Path:
    """The command `name` of the package. `requirement` without a version means the only environment of that package.

    Raises `ConfigurationError` when there is no such environment, and with its commands when it has no such one.
    """
    recipe = _chosen(envs, requirement)
    if made(envs, recipe.name) is None:
        raise ConfigurationError(f"{recipe.title} has no environment here", remedy=recipe.ways)
    found = envs / recipe.name / "bin" / name
    if "/" in name or not found.is_file():
        raise ConfigurationError(
            f"{recipe.title} has no command '{name}'", remedy=f"name one of its commands: {_commands(envs, recipe)}"
        )
    return found


def _chosen(envs: Path, requirement: str) -> Recipe:
    if "=" in requirement or "@" in requirement:
        return package_recipe(requirement)
    there = [package_recipe(each.requirements[0]) for each in environments(envs)]
    fitting = [each for each in there if _plain(each.package) == _plain(requirement)]
    if len(fitting) == 1:
        return fitting[0]
    what = f"there are several environments of '{requirement}'" if fitting else f"'{requirement}' has no environment"
    ways = f"name its version: {', '.join(each.title for each in fitting)}" if fitting else (
        f"make it with: dativo env create '{requirement}==VERSION'"
    )  # fmt: skip
    raise ConfigurationError(what, remedy=ways)


def _commands(envs: Path, recipe: Recipe) -> str:
    skip = re.compile(r"python|pip|activate|pydoc|deactivate")
    names = sorted(each.name for each in (envs / recipe.name / "bin").iterdir() if not skip.match(each.name))
    return ", ".join(names[:20])
