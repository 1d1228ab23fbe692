"""store: reachable, and its tables of this version. Without it runs go on and their records wait."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.errors import StorageUnavailable
from dativo_provider.pipeline.doctor.base import Finding, Patient, ok, warn


def check(patient: Patient) -> Iterator[Finding]:
    from dativo_provider.store import connect
    from dativo_provider.store.open import store_settings

    settings = store_settings(patient.ctx.settings)
    try:
        with connect(settings, patient.ctx.settings.catalog.properties) as store:
            store.runs(limit=1)
    except StorageUnavailable as problem:
        yield warn("store", problem.message, problem.remedy or "start it: until then records of runs wait in the spool")
        return
    kind = "files" if settings.leaf == "lake" else settings.uri.partition(":")[0]
    yield ok("store", f"the metadata store ({kind}) answers and is of this version")
