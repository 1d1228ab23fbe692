"""The tools that have a recipe. A recipe is a leaf with `RECIPE` and an entry here."""

from __future__ import annotations

from dativo_provider.envs.packages import package_recipe
from dativo_provider.envs.recipe import Recipe
from dativo_provider.envs.recipes import great_expectations, soda
from dativo_provider.errors import ConfigurationError

__all__ = ["RECIPES", "recipe"]

RECIPES: dict[str, Recipe] = {each.RECIPE.name: each.RECIPE for each in (soda, great_expectations)}


def recipe(name: str) -> Recipe:
    """Of a tool, or of a package: `name==version`. Raises `ConfigurationError` for a name that has none."""
    if "=" in name or "@" in name:
        return package_recipe(name)
    if name not in RECIPES:
        known = ", ".join(RECIPES)
        raise ConfigurationError(f"there is no recipe '{name}'", remedy=f"use one of {known}, or package==version")
    return RECIPES[name]
