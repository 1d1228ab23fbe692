"""home: the folder of embedded parts, and of records that wait for the store."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator

from dativo_provider.errors import DativoError
from dativo_provider.files import file_uri, join, open_files
from dativo_provider.lake.home import embedded
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn


def check(patient: Patient) -> Iterator[Finding]:
    home = patient.ctx.settings.home
    problem = _unwritable(home)
    if not problem:
        yield ok("home", f"{home} is writable")
    elif parts := embedded(patient.ctx.settings):
        yield fail("home", f"{home}: {problem}, and holds {', '.join(parts)}", "set DATIVO_HOME to a writable folder")
    else:
        remedy = "set DATIVO_HOME to a writable folder: records wait there when warehouse and store are away"
        yield warn("home", f"{home}: {problem}", remedy)
    if problem := _unwritable(tempfile.gettempdir()):
        yield fail("home", f"{tempfile.gettempdir()}: {problem}", "set TMPDIR to a writable folder")


def _unwritable(folder: str) -> str:
    """Why no file can be made there; empty when one can."""
    uri = join(file_uri(folder), f".dativo-doctor-{secrets.token_hex(4)}")
    files = open_files(uri)
    try:
        files.write_new(uri, b"1")
        files.delete(uri)
    except DativoError as problem:
        return problem.message
    return ""
