"""A small world to kill processes in: a folder of CSV files, one job, an embedded catalog, and what must be true.

Every row carries a unique id. Good rows belong in the table, bad ones (no amount) in the quarantine, ragged
lines in the quarantine as rejects: each exactly once, whatever was killed.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from dativo_provider.model.context import RunContext
from dativo_provider.model.job import (
    ContractSpec,
    IncrementalSpec,
    JobSpec,
    SourceSpec,
    StreamSpec,
    TargetSpec,
)
from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings
from dativo_provider.model.stream import Field

FIELDS = (
    Field("id", "long", required=True),
    Field("region", "string"),
    Field("amount", "decimal(12,2)", required=True),
)


@dataclass
class World:
    catalog: ClassVar[str] = "pyiceberg.catalog.sql:SqlCatalog"  # whose commits are interrupted
    keeps_rivals: ClassVar[bool] = True  # no run may take away what others have written

    root: Path
    mode: str = "append"
    strategy: str = "file_modified_time"
    catalog_uri: str = ""
    good: set[int] = field(default_factory=set)
    bad: set[int] = field(default_factory=set)
    ragged: set[int] = field(default_factory=set)
    files: int = 0
    rivals: tuple[set[int], set[int]] = (set(), set())  # ids below zero: those certainly there, those perhaps

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def home(self) -> Path:
        return self.root / "home"

    def job(self, name: str = "orders") -> JobSpec:
        stream = StreamSpec(
            name="orders",
            object="*.csv",
            table="orders",
            contract=ContractSpec("orders", version="1.0.0", fields=FIELDS),
            incremental=IncrementalSpec(strategy=self.strategy),
        )
        return JobSpec(
            tenant="acme",
            name=name,
            id=name,
            source=SourceSpec("csv", roots=(str(self.data),)),
            target=TargetSpec(namespace="acme", mode=self.mode),  # type: ignore[arg-type]
            streams=(stream,),
            slices=2,
        )

    def context(self) -> RunContext:
        uri = self.catalog_uri or f"sqlite:///{self.home}/catalog.db"
        catalog = CatalogSettings(
            properties={"type": "sql", "uri": uri}, warehouse=(self.home / "warehouse").as_uri(), embedded=True
        )
        store = StoreSettings("sql", f"sqlite:///{self.home}/store.db", embedded=True)
        return RunContext(Settings(home=str(self.home), catalog=catalog, store=store))

    def as_a_stranger(self) -> dict[str, Any]:
        """The catalog, as one opens it who does not know Dativo."""
        catalog = self.context().settings.catalog
        return {**catalog.properties, "warehouse": catalog.warehouse}

    def add_file(self, rng: random.Random, rows: int = 40) -> None:
        """One more delivery; written under a temporary name, as a careful sender does."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.files += 1
        lines = ["id,region,amount"]
        for offset in range(rows):
            identity = self.files * 1_000_000 + offset
            lines.append(self._line(identity, rng.random()))
        path = self.data / f"orders-{self.files:05d}.csv"
        path.with_suffix(".tmp").write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.with_suffix(".tmp").rename(path)

    def _line(self, identity: int, chance: float) -> str:
        if chance < 0.05:
            self.ragged.add(identity)
            return f"{identity},north"
        if chance < 0.15:
            self.bad.add(identity)
            return f"{identity},north,"
        self.good.add(identity)
        return f"{identity},south,{identity % 1000}.50"

    @property
    def rows(self) -> int:
        """That were delivered."""
        return len(self.good) + len(self.bad) + len(self.ragged)

    def table(self, name: str) -> Any:
        """Past Dativo's own code."""
        from pyiceberg.catalog import load_catalog

        return load_catalog("dativo", **self.as_a_stranger()).load_table(name)

    # What must be true -----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Every row of every file exactly once where it belongs, and the cursor beside it: after an undisturbed run."""
        self.check_rows()
        self.check_cursor()
        self.check_books()

    def check_books(self) -> None:
        """Each row of a run was one of these."""
        from tests.crash.readback import books

        for each in books(self):
            parts = each.accepted + each.quarantined + each.rejected + each.duplicates + each.filtered
            assert each.extracted == parts, each

    def check_cursor(self) -> None:
        """Every file is remembered with all of its rows."""
        from tests.crash.readback import cursor

        files = cursor(self)["files"]
        assert files.keys() == {path.name for path in self.data.iterdir()}
        for name, known in files.items():
            assert known["rows"] == len((self.data / name).read_text().splitlines()) - 1, name

    def check_rows(self) -> None:
        from tests.crash.readback import published_ids, quarantined_ids

        table = Counter(identity for identity in published_ids(self) if identity >= 0)
        quarantine = Counter(quarantined_ids(self))
        assert {key: count for key, count in table.items() if count > 1} == {}, "rows doubled in the table"
        assert table.keys() == self.good, self._difference(table.keys(), self.good)
        wanted = self.bad | self.ragged
        assert {key: count for key, count in quarantine.items() if count > 1} == {}, "rows doubled in the quarantine"
        assert quarantine.keys() == wanted, self._difference(quarantine.keys(), wanted)

    @staticmethod
    def _difference(found: object, wanted: set[int]) -> str:
        have = set(found)  # type: ignore[call-overload]
        return f"lost {sorted(wanted - have)[:5]} ({len(wanted - have)}), foreign {sorted(have - wanted)[:5]}"
