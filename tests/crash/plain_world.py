"""The same world without a catalog: a folder or a bucket of plain Parquet, with two kinds of readers.

Who trusts the manifest and who lists the folders must find the same rows, each once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from dativo_provider.model.maintenance import MaintenanceSpec
from tests.crash.processes import Point
from tests.crash.readback import live_files
from tests.crash.world import World

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec

__all__ = ["PLAIN_POINTS", "PlainWorld", "plain_maintainer", "plain_rival"]

_BUSY = MaintenanceSpec(min_files=2, min_manifests=2, retention_days=0, keep_snapshots=8, keep_metadata=20)
_CATALOG = "dativo_provider.lake.plain.catalog:FolderCatalog"
_PLACEMENT = "dativo_provider.lake.plain.placement:Placement"
PLAIN_POINTS = [
    *(Point(f"{_CATALOG}._put", when, nth) for when in ("before", "after") for nth in (1, 2)),
    *(Point(f"{_PLACEMENT}.{step}", "after", nth) for step in ("_announce", "_copy", "__call__") for nth in (1, 2)),
]  # fmt: skip


@dataclass
class PlainWorld(World):
    catalog: ClassVar[str] = _CATALOG

    bucket: str = ""
    storage: dict[str, str] = field(default_factory=dict)

    @property
    def lake(self) -> str:
        return f"s3://{self.bucket}/lake" if self.bucket else (self.home / "lake").as_uri()

    def job(self, name: str = "orders") -> JobSpec:
        made = super().job(name)
        target = replace(made.target, connector="parquet", warehouse=self.lake, namespace="")
        return replace(made, target=target, maintenance=_BUSY)

    def context(self) -> RunContext:
        made = super().context()
        catalog = replace(made.settings.catalog, properties={**made.settings.catalog.properties, **self.storage})
        return replace(made, settings=replace(made.settings, catalog=catalog))

    def table(self, name: str) -> Any:
        """The version with the highest number."""
        from pyiceberg.exceptions import NoSuchTableError
        from pyiceberg.table import StaticTable

        listed = self._list(f"_dativo/default/default/{name.partition('.')[2]}/metadata")
        numbers = {int(match[1]): uri for uri in listed if (match := re.search(r"/v(\d+)\.metadata\.json$", uri))}
        if not numbers:
            raise NoSuchTableError(name)
        return StaticTable.from_metadata(numbers[max(numbers)], properties=self.storage)

    def folder_files(self, name: str) -> set[str]:
        return {uri for uri in self._list(f"default/default/{name}") if uri.endswith(".parquet")}

    def _list(self, folder: str) -> list[str]:
        from dativo_provider.files import open_files

        return [info.uri for info in open_files(self.lake, self.storage).list(f"{self.lake}/{folder}")]

    def check_rows(self) -> None:
        super().check_rows()
        self.check_folders()

    def check_folders(self) -> None:
        """Nothing is seen there that is not the table's."""
        for name in ("orders", "orders_quarantine"):
            live, seen = set(live_files(self, f"acme.{name}")), self.folder_files(name)
            assert seen == live, f"not the table's: {sorted(seen - live)[:3]}; not seen: {sorted(live - seen)[:3]}"


def plain_rival(world: PlainWorld, identity: int) -> str:
    """Another job, with a delivery of its own, publishes into the same folders; its ids are below zero."""
    from dativo_provider.model.run import RunRequest
    from dativo_provider.pipeline import steps
    from dativo_provider.pipeline.workplace import open_folder

    theirs, ctx = world.root / "theirs", world.context()
    theirs.mkdir(exist_ok=True)
    (theirs / f"{identity}.tmp").write_text(f"id,region,amount\n{-identity},west,1.50\n")
    (theirs / f"{identity}.tmp").rename(theirs / f"{identity}.csv")
    job = world.job("rival")
    job = replace(job, source=replace(job.source, roots=(str(theirs),)), slices=1)
    plan_uri = steps.plan(job, "orders", ctx, RunRequest()).path
    for piece in open_folder(plan_uri, ctx).plan().slices:
        steps.extract(plan_uri, piece.index, ctx)
    steps.audit(plan_uri, ctx)
    return "appended" if steps.publish(plan_uri, ctx).outcome == "committed" else "late"


def plain_maintainer(world: PlainWorld, _identity: int) -> str:
    """Everything `dativo maintain` does, with settings under which there is always something to do."""
    from dativo_provider.pipeline.maintain import maintain

    found = maintain(world.job(), world.context())
    assert not [each for each in found if each.outcome == "failed"], found
    return " ".join(["kept", *(each.job for each in found if each.outcome == "done")])
