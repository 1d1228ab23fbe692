"""Environments of the engines: what `dativo env create` makes."""

from __future__ import annotations

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
    for recipe in ALL:
        if changes := drift(_home(), recipe):
            raise Unavailable(f"no environment of {recipe.title} ({'; '.join(changes)}): {HINT}")
    return _home()


def sodacl() -> Path:
    """The interpreter that has Soda 3."""
    return start() / SODACL.name / "bin" / "python"


def _home() -> Path:
    return services_folder() / "envs"


def install() -> str:
    try:
        for recipe in ALL:
            if drift(_home(), recipe):
                create(_home(), recipe)
    except DativoError as error:
        raise Unavailable(str(error)) from error
    return f"found {_home()}"
