"""Staged files of a plain table are copied to their Hive folders, by the store itself, right before the commit.

What is copied and then not committed would be seen by readers of the folders. So a run says beforehand what it is
about to publish (`publishing.json` in its staging folder): with that, `tidy` knows when it never will. A rewrite is
fenced by no lane, so each of its attempts copies under names of its own, which say the version it goes on top of.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dativo_provider.errors import SourceChanged
from dativo_provider.files import FileStore, join
from dativo_provider.lake.datafile import REWRITE, run_folder
from dativo_provider.lake.partition import from_json
from dativo_provider.lake.plain.labels import Labelling
from dativo_provider.lake.plain.layout import Layout, folders, version_of
from dativo_provider.model.run import Plan, StagedFile, dump, load

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Intent", "Placement", "base_version", "intent_uri", "published_uri", "read_intent"]

_AT_ONCE = 8
_BASE = re.compile(rf"{REWRITE}.+\.v(\d+)")


@dataclass(frozen=True)
class Intent:
    """`plan_id` will commit on top of `seq` of the lane `state_key`, or never."""

    plan_id: str
    state_key: str
    seq: int


def intent_uri(location: str, plan_id: str) -> str:
    return join(run_folder(location, plan_id), "publishing.json")


def read_intent(uri: str, files: FileStore) -> Intent:
    return load(Intent, files.read(uri))


def published_uri(layout: Layout, table: Table, file: StagedFile) -> str:
    """Where a staged file goes: known before it is there, and for a run always the same."""
    name, schema, spec = table.name(), table.schema(), table.spec()
    values = from_json(file.partition, spec, schema) if spec.fields else []
    run, staged = file.path.rsplit("/", 2)[1:]
    plan_id = run.removeprefix("run-")
    if plan_id.startswith(REWRITE):
        plan_id += f".v{version_of(table.metadata_location)}"
    return join(layout.data(name), *folders(values, spec, schema), f"{name[-1]}_{plan_id}_{staged}")


def base_version(plan_id: str) -> int | None:
    """The version that an attempt to rewrite files goes on top of, or never; None for a run's plan id."""
    match = _BASE.fullmatch(plan_id)
    return int(match[1]) if match else None


class Placement:
    """Of one target in one step. What it has copied once it does not copy again."""

    def __init__(self, layout: Layout, files: FileStore, labelling: Labelling) -> None:
        self._layout, self._files, self._labelling = layout, files, labelling
        self._done: set[str] = set()
        self.publishing: Plan | None = None

    def __call__(self, table: Table, files: Sequence[StagedFile]) -> Sequence[StagedFile]:
        """Raises `SourceChanged` when a staged file has been swept."""
        self._announce(table)
        placed = [replace(file, path=published_uri(self._layout, table, file)) for file in files]
        with ThreadPoolExecutor(_AT_ONCE, "dativo-copy") as pool:
            for _ in pool.map(lambda pair: self._copy(table, *pair), zip(files, placed, strict=True)):
                pass
        return placed

    def _announce(self, table: Table) -> None:
        plan = self.publishing
        if plan is not None and ".".join(table.name()) == plan.table:
            intent = Intent(plan.plan_id, plan.state_key, plan.base.seq)
            self._files.write_new(intent_uri(plan.table_location, plan.plan_id), dump(intent))

    def _copy(self, table: Table, staged: StagedFile, placed: StagedFile) -> None:
        if placed.path in self._done:
            return
        try:
            self._files.copy(staged.path, placed.path, self._labelling.of(table, staged))
        except FileNotFoundError as gone:
            raise SourceChanged(
                "the staged file is gone", where=staged.path, remedy="start a new run; nothing was published"
            ) from gone
        self._done.add(placed.path)
