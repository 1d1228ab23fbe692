"""Engines of other ecosystems: `engine.type: singer | meltano | airbyte` of a job or recipe.

What Dativo reads natively it reads natively, unless the job itself insists. A recipe's engine is what it falls back on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dativo_provider.config.making import Making
from dativo_provider.config.recipes import RecipeSpec

__all__ = ["BRIDGES", "choose_engine", "source_options"]

BRIDGES = {"singer": "singer", "meltano": "singer", "airbyte": "airbyte"}
_NAMING = ("tap", "tap_package", "package", "docker_image", "manifest")  # what is to be run


def choose_engine(making: Making, recipe: RecipeSpec | None) -> None:
    """Sets the connector that reads for the one the job names, and that one's options."""
    own = making.source.engine
    insists = own is not None and own.type in BRIDGES
    engine = own.type if own is not None and insists else recipe.engine if recipe else ""
    below = _of(recipe.engine_options, engine) if recipe and recipe.engine == engine else {}
    options = {**below, **(_of(own.options, engine) if own else {})}
    named = any(options.get(name) or making.source.options.get(name) for name in _NAMING)
    known = making.connector
    if known is None or engine not in BRIDGES or not named or ("source" in known.runs and not insists):
        return
    making.connector = replace(known, name=BRIDGES[engine], kind="api", runs=("source",))
    making.engine_options = options


def _of(options: Mapping[str, Any], engine: str) -> dict[str, Any]:
    """Those of every engine, and below the engine's name its own."""
    own = options.get(engine)
    every = {name: value for name, value in options.items() if name not in (*BRIDGES, "native", "jdbc", "spark")}
    return {**every, **(own if isinstance(own, Mapping) else {})}


def source_options(making: Making) -> dict[str, Any]:
    """Of the engine that reads, below those of the source."""
    source = making.source
    if making.engine_options is not None:
        return {**making.engine_options, **source.options}
    engine = dict(source.engine.options) if source.engine else {}
    native = engine.pop("native", None)
    return {**(native if isinstance(native, dict) else {}), **engine, **source.options}
