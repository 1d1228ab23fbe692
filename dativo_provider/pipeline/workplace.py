"""Opens what a step works with: the run's folder, the reader with its references resolved, the target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from dativo_provider.config.references import find_references
from dativo_provider.connectors.registry import open_reader
from dativo_provider.errors import CredentialError
from dativo_provider.files import FileStore, open_files
from dativo_provider.lake.catalog import catalog_properties, warehouse_of
from dativo_provider.lake.home import guard_plan
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, SourceSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.run import Plan
from dativo_provider.model.target import Target
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.targets import open_target
from dativo_provider.secrets.resolve import resolve

__all__ = ["open_folder", "open_run", "reading", "run_files", "runs_folder"]


def runs_folder(job: JobSpec, stream: str, ctx: RunContext) -> str:
    """Where the plans of this stream are kept: in the deployment's warehouse, which every worker reaches and
    whose credentials a step has before it has read its plan."""
    return f"{warehouse_of(ctx.settings)}/_dativo/runs/{job.tenant}/{job.id}/{stream}"


def run_files(uri: str, ctx: RunContext) -> FileStore:
    return open_files(uri, catalog_properties(ctx.settings)[1])


def open_folder(plan_uri: str, ctx: RunContext) -> RunFolder:
    return RunFolder.of_plan(run_files(plan_uri, ctx), plan_uri)


def open_run(plan_uri: str, ctx: RunContext) -> tuple[RunFolder, Plan, Target]:
    """The folder, plan and target of a step, after the guard against a home that is not the plan's."""
    folder = open_folder(plan_uri, ctx)
    plan = folder.plan()
    guard_plan(plan, ctx.settings)
    label(ctx, plan.job, plan.stream, plan.run_id, plan.plan_id)
    return folder, plan, open_target(plan.job, ctx, dry_run=plan.request.dry_run)


def label(ctx: RunContext, job: JobSpec, stream: str, run_id: str, plan_id: str = "") -> None:
    if job.memory_limit_mb:
        ctx.settings = replace(ctx.settings, memory_limit_mb=job.memory_limit_mb)
    ctx.labels.update(
        tenant=job.tenant, job=job.name, stream=stream, run=run_id, plan=plan_id, connector=job.source.connector
    )


@contextmanager
def reading(job: JobSpec, ctx: RunContext) -> Iterator[Reader]:
    """A reader with `${...}` resolved, closed afterwards. References are resolved here and nowhere earlier."""
    reader = open_reader(_resolved(job, ctx), ctx)
    reader.again = lambda: _resolved(job, ctx)
    reader.keep = _Kept(job, ctx)
    try:
        yield reader
    finally:
        reader.close()


def _resolved(job: JobSpec, ctx: RunContext) -> SourceSpec:
    return replace(
        job.source,
        connection=resolve(job.source.connection, job, ctx),
        options=resolve(job.source.options, job, ctx),
    )


@dataclass(frozen=True)
class _Kept:
    """Writes into the secret that `source.connection.<name>` consists of."""

    job: JobSpec
    ctx: RunContext

    def put(self, name: str, value: str) -> None:
        self.ctx.secrets.put(self.job.tenant, self._secret(name), value)

    def prove(self, name: str) -> None:
        self.ctx.secrets.prove(self.job.tenant, self._secret(name))

    def _secret(self, name: str) -> str:
        written = str(self.job.source.connection.get(name, ""))
        found = list(find_references(written))
        if len(found) != 1 or found[0].kind != "secret" or found[0].text != written:
            raise CredentialError(
                "it is not a secret by itself", where=f"source.connection.{name}",
                remedy=f"write {name}: ${{SECRET:NAME}}",
            )  # fmt: skip
        return found[0].name
