"""environments: tools of checks and connectors that live in interpreters of their own, as they were made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dativo_provider.envs.packages import environments, package_recipe
from dativo_provider.envs.place import drift, made
from dativo_provider.envs.recipe import Recipe
from dativo_provider.envs.recipes import RECIPES
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn


def check(patient: Patient) -> Iterator[Finding]:
    envs = Path(patient.ctx.settings.envs)
    found = {name: made(envs, name) for name in RECIPES}
    for name, recipe in RECIPES.items():
        if found[name] or (envs / name).is_symlink():
            yield _of(recipe, envs)
    for package in environments(envs):
        yield _of(package_recipe(package.requirements[0]), envs)
    if absent := [name for name in RECIPES if not (envs / name).is_symlink()]:
        yield ok("environments", f"not made: {', '.join(absent)}; only checks that need them would ask for one")


def _of(recipe: Recipe, envs: Path) -> Finding:
    then, changes, remedy = made(envs, recipe.name), drift(envs, recipe), f"dativo env create {recipe.wanted}"
    if then is None:
        return fail("environments", f"{recipe.title}: it is not whole", remedy)
    package = (recipe.package or recipe.requirements[0].partition("==")[0]).lower()
    said = f"{recipe.title} ({package} {then.versions.get(package.replace('_', '-'), 'absent')}, Python {then.python})"
    if not changes:
        return ok("environments", f"{said}, made {then.made_at[:10]}")
    broken = any("does not start" in change for change in changes)
    return (fail if broken else warn)("environments", f"{said}: {'; '.join(changes)}", remedy)
