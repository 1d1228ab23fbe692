"""One stream's inbox, opened: its tables, and which replays the main table has really seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dativo_provider.errors import Unsupported
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.run import REPLAYS, Lane, State
from dativo_provider.pipeline.targets import open_target

if TYPE_CHECKING:
    from dativo_provider.lake.iceberg import IcebergTarget
    from dativo_provider.lake.inbox import InboxTables

__all__ = ["LANE", "Box", "open_box", "replays_of"]

LANE = Lane("replay", REPLAYS)


@dataclass(frozen=True)
class Box:
    job: JobSpec
    spec: StreamSpec
    ctx: RunContext
    target: IcebergTarget
    tables: InboxTables

    def state(self) -> State:
        return self.target.state(self.job, self.spec, LANE)


def open_box(job: JobSpec, stream: str, ctx: RunContext) -> Box:
    """Raises `Unsupported` where the target keeps no tables, and what opening the catalog raises."""
    from dativo_provider.lake.iceberg import IcebergTarget

    target, spec = open_target(job, ctx), job.stream(stream)
    if not isinstance(target, IcebergTarget):
        raise Unsupported(f"target '{job.target.connector}' keeps no quarantine table", where=job.path or job.dag_id)
    return Box(job, spec, ctx, target, target.inbox(job, spec))


def replays_of(state: State) -> frozenset[str]:
    """Ids of the replays whose rows are in the main table. A rollback takes them back with the rows."""
    return frozenset(state.cursor.value.get("replays", ())) if state.cursor else frozenset()
