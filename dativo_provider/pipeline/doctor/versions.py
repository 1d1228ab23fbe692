"""versions: what is installed against what this package declares, which are the versions it is tested with."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok

PACKAGE = "airflow-provider-dativo"
_NAMED = ("apache-airflow", "apache-airflow-task-sdk", "pyiceberg", "pyarrow", "duckdb")


def check(_: Patient) -> Iterator[Finding]:
    from packaging.requirements import Requirement

    wrong = False
    for text in metadata.requires(PACKAGE) or ():
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate({"extra": ""}):
            continue
        found = _version(wanted.name)
        if not found or not wanted.specifier.contains(found, prereleases=True):
            wrong = True
            remedy = f"pip install '{wanted.name}{wanted.specifier}'"
            yield fail("versions", f"{wanted.name} {found or 'is missing'}; wanted {wanted.specifier}", remedy)
    if not wrong:
        listed = ", ".join(f"{name} {found}" for name in _NAMED if (found := _version(name)))
        yield ok("versions", f"{PACKAGE} {_version(PACKAGE)}, Python {platform.python_version()}, {listed}")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
