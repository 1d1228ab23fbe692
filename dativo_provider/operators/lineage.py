"""OpenLineage facets of one publish. Names, types and counts only, never a value of a row.

https://openlineage.io/docs/spec/facets/
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.config.roots import located
from dativo_provider.hooks.asset_uri import dataset_of
from dativo_provider.lake.plain.layout import folder_of
from dativo_provider.model.checks import Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.lookup import LookupPin
from dativo_provider.model.run import Plan, Published
from dativo_provider.model.stream import Field

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage
    from openlineage.client.event_v2 import InputDataset, OutputDataset

__all__ = ["Facts", "gather", "to_openlineage"]

log = logging.getLogger(__name__)
_WORDS = {"required": "not_null", "uniqueness": "unique"}


@dataclass(frozen=True)
class Facts:
    """What the events of a publish are made from; `catalog` names the Iceberg catalog."""

    plan: Plan
    published: Published
    verdict: Verdict
    catalog: str

    @property
    def target(self) -> tuple[str, str]:
        """Namespace and name of the output: a table of a catalog, or a folder by its place."""
        folder = folder_of(self.plan.table_location, self.plan.table)
        return dataset_of(folder) if folder else (f"iceberg://{self.catalog}", self.plan.table)

    @property
    def source(self) -> tuple[str, str]:
        """Namespace and name of the input. A host that is still a reference is not resolved for lineage."""
        if self.plan.request.replay:
            return f"iceberg://{self.catalog}", self.plan.quarantine_table
        source = self.plan.job.source
        host = str(source.connection.get("host") or "")
        authority = source.connection_id or (host if "${" not in host else "") or self.plan.job.tenant
        return f"{source.connector}://{authority}", self.plan.spec.object or self.plan.stream

    def looked_up(self, pin: LookupPin) -> tuple[str, str]:
        """Namespace and name of a lookup: a table of the catalog, or a file below the tenant's roots."""
        roots = self.plan.job.source.roots
        return ("file", located(pin.of, roots)) if pin.copy else (f"iceberg://{self.catalog}", pin.of)


def gather(plan_uri: str, published: Published, run: RunContext) -> Facts | None:
    """None when the run's folder cannot be read: lineage never fails a publish."""
    from dativo_provider.pipeline.workplace import open_folder

    try:
        folder = open_folder(plan_uri, run)
        return Facts(folder.plan(), published, folder.verdict(), run.settings.catalog.name)
    except Exception:
        log.warning("no lineage for %s", plan_uri, exc_info=True)
        return None


def to_openlineage(facts: Facts) -> OperatorLineage:
    from airflow.providers.openlineage.extractors import OperatorLineage

    return OperatorLineage(inputs=[_input(facts), *_lookups(facts)], outputs=[_output(facts)])


def _input(facts: Facts) -> InputDataset:
    from openlineage.client.event_v2 import InputDataset

    namespace, name = facts.source
    fields = facts.plan.source_fields or facts.plan.fields
    return InputDataset(
        namespace=namespace,
        name=name,
        facets={"schema": _schema(fields)},
        inputFacets={"dataQualityAssertions": _assertions(facts)},
    )


def _lookups(facts: Facts) -> list[InputDataset]:
    """What transformations looked things up in, with the columns they read."""
    from openlineage.client.event_v2 import InputDataset

    return [
        InputDataset(namespace=namespace, name=name, facets={"schema": _schema(pin.columns)})
        for pin in facts.plan.lookups
        for namespace, name in [facts.looked_up(pin)]
    ]


def _output(facts: Facts) -> OutputDataset:
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    facets = {"schema": _schema(facts.plan.fields), "columnLineage": _columns(facts)}
    if facts.plan.spec.contract.owner:
        facets["ownership"] = _ownership(facts.plan.spec.contract.owner)
    rows = facts.published.inserted + facts.published.updated
    namespace, name = facts.target
    return OutputDataset(
        namespace=namespace,
        name=name,
        facets=facets,
        outputFacets={"outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows)},
    )


def _schema(fields: Sequence[Field]) -> Any:
    from openlineage.client.facet_v2 import schema_dataset as schema

    made = [schema.SchemaDatasetFacetFields(f.name, f.type, f.description or None) for f in fields]
    return schema.SchemaDatasetFacet(fields=made)


def _assertions(facts: Facts) -> Any:
    """The checks that gave an answer; one that did not is neither a success nor a failure."""
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

    checks = {check.id: check for check in facts.plan.checks}
    made = []
    for result in facts.verdict.results:
        check = checks.get(result.check_id)
        if check and result.outcome in ("passed", "failed"):
            column = check.columns[0] if len(check.columns) == 1 else None
            word = _WORDS.get(check.kind, check.kind)
            made.append(quality.Assertion(assertion=word, success=result.outcome == "passed", column=column))
    return quality.DataQualityAssertionsDatasetFacet(assertions=made)


def _ownership(owner: str) -> Any:
    from openlineage.client.facet_v2 import ownership_dataset as ownership

    return ownership.OwnershipDatasetFacet(owners=[ownership.Owner(name=owner, type="OWNER")])


def _columns(facts: Facts) -> Any:
    """Columns read under their own name; what transformations make is left to the catalog's own analysis."""
    from openlineage.client.facet_v2 import column_lineage_dataset as lineage

    made = {transform.column for transform in facts.plan.job.transforms}
    namespace, name = facts.source
    fields = {
        field.name: lineage.Fields(inputFields=[lineage.InputField(namespace, name, field.name)])
        for field in facts.plan.fields
        if field.name not in made
    }
    return lineage.ColumnLineageDatasetFacet(fields=fields)
