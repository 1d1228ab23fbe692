"""sources: every job's source answers. Only when asked for: it opens connections to systems of others."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.errors import DativoError
from dativo_provider.model.job import JobSpec
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok
from dativo_provider.pipeline.workplace import reading


def check(patient: Patient) -> Iterator[Finding]:
    for job in patient.jobs if patient.sources else ():
        if not job.unsupported:
            yield _source(job, patient)


def _source(job: JobSpec, patient: Patient) -> Finding:
    try:
        with reading(job, patient.ctx) as reader:
            reader.check()
    except DativoError as problem:
        return fail("sources", f"{job.dag_id}: {problem.message}", problem.remedy)
    return ok("sources", f"{job.dag_id}: {job.source.connector} answers")
