"""executor: tasks on several machines need places that all of them reach."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.lake.home import embedded
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn

_SETTINGS = {"catalog": "catalog_uri", "warehouse": "warehouse", "store": "store_uri"}


def check(patient: Patient) -> Iterator[Finding]:
    settings, named = patient.ctx.settings, patient.executor or "one process"
    local = embedded(settings)
    if not settings.distributed:
        yield ok("executor", f"{named}; on this machine only: {', '.join(local) or 'nothing'}")
        return
    vital = [name for name in local if name != "store"]
    if vital:
        yield fail(
            "executor",
            f"tasks may run on several machines ({named}), but {' and '.join(vital)} are in a folder of each",
            f"set [dativo] {', '.join(_SETTINGS[name] for name in vital)} to places every worker reaches",
        )
    elif local:
        remedy = "set [dativo] store_uri to a place every worker reaches"
        yield warn("executor", "each machine would keep a metadata store of its own", remedy)
    else:
        yield ok("executor", f"{named}; catalog, warehouse and store are shared")
