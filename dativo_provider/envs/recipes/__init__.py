"""The tools that have a recipe. A recipe is a leaf with `RECIPE` and an entry here."""

from __future__ import annotations

from dativo_provider.envs.recipe import Recipe
from dativo_provider.envs.recipes import great_expectations, soda
from dativo_provider.errors import ConfigurationError

__all__ = ["RECIPES", "recipe"]

RECIPES: dict[str, Recipe] = {each.RECIPE.name: each.RECIPE for each in (soda, great_expectations)}


def recipe(name: str) -> Recipe:
    """Raises `ConfigurationError` for a name that has none."""
    if name not in RECIPES:
        raise ConfigurationError(f"there is no recipe '{name}'", remedy=f"use one of {', '.join(RECIPES)}")
    return RECIPES[name]
