"""What every published object says about itself: the object metadata and tags of REQUIREMENTS 3.8 (ING-12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dativo_provider.files import Labels
from dativo_provider.lake.plain.layout import plain_name
from dativo_provider.lake.table import inbox_log_name, quarantine_name
from dativo_provider.model.job import ContractSpec, JobSpec
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Labelling"]

_TAGS = (
    "asset-name", "asset-version", "asset-domain", "data-product", "tenant-id", "owner", "classification",
    "retention-days", "file-format",
)  # fmt: skip


@dataclass(frozen=True)
class Labelling:
    """Empty values are left out."""

    job: JobSpec
    now: datetime

    def of(self, table: Table, file: StagedFile) -> Labels:
        found = {name: value for name, value in self._facts(table, file).items() if value}
        return Labels(found, {name: found[name] for name in _TAGS if name in found})

    def _facts(self, table: Table, file: StagedFile) -> Mapping[str, str]:
        told, target, contract = table.properties, self.job.target, self._contract(table)
        domain, product, name = table.name()
        return {
            "asset-name": name,
            "asset-version": contract.version,
            "asset-domain": domain,
            "data-product": product,
            "tenant-id": self.job.tenant,
            "branch": target.branch or "main",
            "owner": told.get("dativo.governance.owner", "") or contract.owner,
            "retention-days": told.get("dativo.governance.retention_days", ""),
            "classification": told.get("dativo.classification.default", "") or _classes(told),
            "record-count": str(file.rows),
            "file-size-bytes": str(file.bytes),
            "partition": "/".join(f"{column}={value}" for column, value in file.partition.items()),
            "ingest-timestamp": self.now.isoformat(),
            "file-format": "parquet",
            "compression": target.compression,
        }

    def _contract(self, table: Table) -> ContractSpec:
        """Of the stream whose table, quarantine or inbox log this is."""
        name = ".".join(table.name())
        mains = {plain_name(self.job, spec): spec.contract for spec in self.job.streams}
        asides = {of(main): contract for main, contract in mains.items() for of in (quarantine_name, inbox_log_name)}
        return {**asides, **mains}[name]


def _classes(told: Mapping[str, str]) -> str:
    """The classes of the table's columns, each once."""
    return ",".join(sorted({value for key, value in told.items() if key.startswith("dativo.classification.")}))
