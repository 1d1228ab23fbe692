"""jobs: the job files of the dags folder can be read."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn


def check(patient: Patient) -> Iterator[Finding]:
    for path in patient.broken:
        yield fail("jobs", f"{path} has mistakes", f"dativo validate {path}")
    for job in patient.jobs:
        if job.unsupported:
            yield warn("jobs", f"{job.dag_id}: {job.unsupported[0]}", "its runs fail until a later version can run it")
    if not patient.broken:
        yield ok("jobs", f"job files that can be read: {len(patient.jobs)}")
