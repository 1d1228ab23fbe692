"""secrets: every `${…}` of the jobs has a value here. Values are looked up and forgotten."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.errors import DativoError
from dativo_provider.model.job import JobSpec
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok
from dativo_provider.secrets.resolve import resolve


def check(patient: Patient) -> Iterator[Finding]:
    wrong = 0
    for job in patient.jobs:
        try:
            _resolve(job, patient)
        except DativoError as problem:
            wrong += 1
            yield fail("secrets", f"{job.dag_id}: {problem.message}", problem.remedy)
    if not wrong:
        yield ok("secrets", f"jobs whose references all have a value: {len(patient.jobs)}")


def _resolve(job: JobSpec, patient: Patient) -> None:
    target = job.target
    for part in (job.source.connection, job.source.options, target.catalog, target.connection, target.warehouse):
        resolve(part, job, patient.ctx)
    if job.source.connection_id:
        patient.ctx.connections.get(job.source.connection_id)
