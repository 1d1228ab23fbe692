"""A real tap and a real Airbyte source, as `dativo env create` installs them; neither needs a network when it runs.

Both are other people's work under licences of their own (AGPL-3.0, ELv2): run here beside our code, never shipped.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from dativo_provider.envs.packages import package_recipe
from tests.services import envs
from tests.services.framework import Unavailable, run, services_folder

TAP = package_recipe("pipelinewise-tap-postgres==2.1.0")
FAKER = package_recipe("airbyte-source-faker==7.2.1")
ALL = (TAP, FAKER)
MANIFEST = "airbyte-source-greenhouse==0.6.1"  # hardly more than a manifest.yaml: unpacked, not installed
HINT = "run `python -m tests.services install bridges`"


def start() -> Path:
    """The folder that `DATIVO_ENVS` names. Raises `Unavailable` unless both are there as they were made."""
    return envs.found(ALL, HINT)


def manifest() -> Path:
    """One that Airbyte has published. Raises `Unavailable`."""
    for found in (services_folder() / "manifests").rglob("manifest.yaml"):
        return found
    raise Unavailable(f"no {MANIFEST}: {HINT}")


def _unpacked() -> None:
    folder = services_folder() / "manifests"
    if not list(folder.rglob("manifest.yaml")):
        run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), MANIFEST])
        for wheel in folder.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(folder)


def install() -> str:
    envs.made(ALL)
    _unpacked()
    return f"found {', '.join(each.title for each in ALL)} in {envs.home()}"
