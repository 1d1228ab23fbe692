"""pools: a task whose pool is missing waits for ever."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn


def check(patient: Patient) -> Iterator[Finding]:
    if not patient.ctx.settings.manage_pools:
        yield ok("pools", "not used ([dativo] manage_pools is off)")
        return
    known = patient.pools()
    if known is None:
        yield warn(
            "pools", "Airflow's pools cannot be seen from here", "run `dativo doctor` where Airflow's database is"
        )
        return
    wanted = {f"dativo_{job.tenant}" for job in patient.jobs}
    if missing := sorted(wanted - set(known)):
        yield fail("pools", f"missing: {', '.join(missing)}", "airflow dativo sync")
    else:
        yield ok("pools", f"there are pools for {len(wanted)} tenants")
