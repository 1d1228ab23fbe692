"""Environments of the engines: what `dativo env create` makes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dativo_provider.envs.make import create
from dativo_provider.envs.place import drift
from dativo_provider.envs.recipe import Recipe
from dativo_provider.envs.recipes import RECIPES
from dativo_provider.errors import DativoError
from tests.services.framework import Unavailable, services_folder

SODACL = Recipe(  # to compare with only: no release of Soda that reads SodaCL runs beside a DuckDB of today
    "sodacl",
    "Soda Core 3",
    ("soda-core-duckdb==3.5.6", "duckdb==1.0.0", "setuptools<80", "pytz==2026.6"),
    ("soda.scan", "duckdb"),
    variables={"SODA_CORE_TELEMETRY_ENABLED": "false"},
)
ALL = (*RECIPES.values(), SODACL)
HINT = "run `python -m tests.services install envs`"


def start() -> Path:
    """The folder that `DATIVO_ENVS` names. Raises `Unavailable` unless every engine is there as it was made."""
    return found(ALL, HINT)


def sodacl() -> Path:
    """The interpreter that has Soda 3."""
    return start() / SODACL.name / "bin" / "python"


def install() -> str:
    made(ALL)
    return f"found {home()}"


def home() -> Path:
    return services_folder() / "envs"


def found(recipes: Sequence[Recipe], hint: str) -> Path:
    """The folder of environments, when all of `recipes` are there as they were made. Raises `Unavailable`."""
    for recipe in recipes:
        if changes := drift(home(), recipe):
            raise Unavailable(f"no environment of {recipe.title} ({'; '.join(changes)}): {hint}")
    return home()


def made(recipes: Sequence[Recipe]) -> None:
    """Those that are not there yet, or have changed. Raises `Unavailable`."""
    try:
        for recipe in recipes:
            if drift(home(), recipe):
                create(home(), recipe)
    except DativoError as error:
        raise Unavailable(str(error)) from error
