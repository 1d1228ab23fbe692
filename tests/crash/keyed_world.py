"""The same world where deliveries bring rows again, changed: `merge` keeps the newest version, `scd2` all of them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from dativo_provider.model.job import JobSpec
from dativo_provider.model.stream import Field
from tests.crash.readback import column
from tests.crash.world import World

_START = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED = Field("changed_at", "timestamptz", required=True)


@dataclass
class KeyedWorld(World):
    """`versions` are the moments at which each row changed, oldest first."""

    mode: str = "merge"
    versions: dict[int, list[datetime]] = field(default_factory=dict)

    def job(self, name: str = "orders") -> JobSpec:
        job = super().job(name)
        (stream,) = job.streams
        contract = replace(stream.contract, fields=(*stream.contract.fields, CHANGED))
        stream = replace(stream, key=("id",), contract=contract)
        return replace(job, streams=(stream,), target=replace(job.target, order_by="changed_at"))

    def add_file(self, rng: random.Random, rows: int = 30) -> None:
        again = rng.sample(sorted(self.versions), min(12, len(self.versions)))
        self._deliver(rng, rows, again)

    def _deliver(self, rng: random.Random, rows: int, again: list[int]) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.files += 1
        moment = _START + timedelta(hours=self.files)
        lines = ["id,region,amount,changed_at"]
        for identity in (*(self.files * 1_000_000 + offset for offset in range(rows)), *again):
            lines.append(self._version(identity, moment, rng.random() if identity not in again else 1))
        path = self.data / f"orders-{self.files:05d}.csv"
        path.with_suffix(".tmp").write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.with_suffix(".tmp").rename(path)

    def _version(self, identity: int, moment: datetime, chance: float) -> str:
        line = self._line(identity, chance)
        if identity in self.good:
            self.versions.setdefault(identity, []).append(moment)
            line = f"{identity},south,{self.files}.50"
        return line if identity in self.ragged else f"{line},{moment.isoformat()}"

    def check_rows(self) -> None:
        if self.mode == "merge":
            super().check_rows()
            self._check_newest()
        else:
            self._check_history()

    def _check_newest(self) -> None:
        found = self._found("changed_at")
        assert found == Counter((identity, moments[-1]) for identity, moments in self.versions.items())

    def _check_history(self) -> None:
        every = Counter((key, moment) for key, moments in self.versions.items() for moment in moments)
        assert self._found("valid_from") == every
        ends = Counter((key, end) for key, moments in self.versions.items() for end in (*moments[1:], None))
        assert self._found("valid_to") == ends
        current = Counter((key, end is None) for key, end in ends.elements())
        assert self._found("is_current") == current

    def _found(self, name: str) -> Counter[tuple[int, object]]:
        pairs = zip(column(self, "acme.orders", "id"), column(self, "acme.orders", name), strict=True)
        return Counter(pair for pair in pairs if pair[0] >= 0)
