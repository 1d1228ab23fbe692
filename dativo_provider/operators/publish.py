"""publish: one atomic commit, then the asset event and the lineage of what it held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import PlannedOperator
from dativo_provider.operators.links import QualityReportLink

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from dativo_provider.model.run import Published
    from dativo_provider.operators.lineage import Facts

__all__ = ["PublishOperator", "changes", "event_facts"]


def changes(published: Published) -> bool:
    """Whether those who wait for the table have a reason to wake."""
    changed = published.inserted + published.updated + published.deleted
    return published.outcome in ("committed", "already") and bool(changed)


def event_facts(published: Published) -> dict[str, int | None]:
    """What the asset's event says: counts, no values."""
    return {
        "snapshot_id": published.snapshot_id,
        "inserted": published.inserted,
        "updated": published.updated,
        "deleted": published.deleted,
        "quarantined": published.quarantined,
    }


class PublishOperator(PlannedOperator):
    """Its outlet is the table. DAGs scheduled on it are woken only when rows changed: Airflow makes events
    for the outlets a task has when it ends."""

    operator_extra_links = (QualityReportLink(),)
    _facts: Facts | None = None

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.operators.lineage import gather

        published = self.published(ctx, context)
        self._tell(published, context)
        self._facts = gather(self.plan, published, ctx)

    def published(self, ctx: RunContext, context: Mapping[str, Any]) -> Published:
        from dativo_provider.pipeline.publish import commit

        return commit(self.plan, ctx)

    def _tell(self, published: Published, context: Mapping[str, Any]) -> None:
        if not changes(published):
            self.outlets: list[Any] = []
        for asset in self.outlets:
            context["outlet_events"][asset].extra = event_facts(published)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> OperatorLineage | None:
        """Inputs and outputs in one event, as catalogs that draw edges from COMPLETE events need them."""
        from dativo_provider.operators.lineage import to_openlineage

        return to_openlineage(self._facts) if self._facts else None
