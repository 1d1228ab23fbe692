"""A bench with rows in its inbox, and short words for what people do there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dativo_provider.model.inbox import Acted, Entry, Selection
from dativo_provider.pipeline.inbox import Box, actions, entries, open_box
from dativo_provider.pipeline.inbox.replay import Replayed, replay
from tests.pipeline.build import Bench

EVERY = Selection(statuses=())
AT = "2026-01-01T00:00:00Z"


class InboxBench(Bench):
    """`source` holds what a test changes of the job before it is run or replayed again."""

    def box(self) -> Box:
        return open_box(self.spec(), "orders", self.context())

    def entries(self, selection: Selection = EVERY) -> list[Entry]:
        return list(entries(self.box(), selection))

    def statuses(self) -> list[str]:
        return [entry.status for entry in self.entries()]

    def open(self) -> list[Entry]:
        return self.entries(Selection())

    def fix(self, *sets: str, where: str = "", by: str = "ann") -> Acted:
        return actions.fix(self.box(), Selection(where=where), actions.assignments(sets), by)

    def replay(self, selection: Selection | None = None, **options: Any) -> Replayed:
        return replay(self.box(), selection or Selection(), "ann", **options)

    def delivered(self, *lines: str, name: str = "a.csv") -> InboxBench:
        self.csv(name, *lines)
        self.run()
        return self

    def by_id(self) -> dict[int, Any]:
        return {row["id"]: row["amount"] for row in self.rows()}

    def renewed(self, fields: Sequence[Any], version: str = "2.0.0") -> InboxBench:
        """The same with another version of the contract."""
        self.fields = fields
        settled = self.spec

        def spec(name: str = "orders") -> Any:
            job = settled(name)
            (stream,) = job.streams
            contract = replace(stream.contract, version=version)
            return replace(job, streams=(replace(stream, contract=contract),))

        self.spec = spec  # type: ignore[method-assign]
        return self
