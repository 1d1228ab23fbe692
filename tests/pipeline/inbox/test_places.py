"""The whole life of entries, on each kind of catalog and without one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.context import RunContext
from dativo_provider.model.inbox import Selection
from dativo_provider.model.settings import Settings
from dativo_provider.pipeline.inbox import actions
from dativo_provider.pipeline.inbox.expire import expire
from dativo_provider.pipeline.maintain import maintain
from tests.lake.places import on_rest
from tests.lake.support import settings
from tests.pipeline.inbox.build import AT, InboxBench
from tests.services.postgres import Database
from tests.services.rest import Rest
from tests.services.s3 import S3
from tests.support import requirement

pytestmark = pytest.mark.one_set  # other catalogs under other pins are tests/lake's


class Placed(InboxBench):
    where: Settings

    def context(self, home: Path | None = None, **_settings: Any) -> RunContext:
        return RunContext(replace(self.where, store=InboxBench.context(self, home).settings.store))

    def ids(self) -> list[int]:
        box = self.box()
        table = box.target.table(box.tables.main)
        return sorted(table.scan(selected_fields=("id",)).to_arrow().column("id").to_pylist())


@requirement("QUA-01", "QUA-05")
class Life:
    target: dict[str, Any] = {}

    def test_entries_are_fixed_replayed_discarded_and_expired(self, tmp_path: Path, where: Settings) -> None:
        bench = Placed(tmp_path, target=self.target)
        bench.where = where
        bench.delivered(f"1,n,1.00,{AT}", f"2,n,,{AT}", f"3,n,,{AT}", f"4,n,,{AT}", "5,x")
        bench.fix("amount = id", where="id in (2, 3)")
        bench.fix("id = null", where="id = 3")
        done = bench.replay(Selection(statuses=("reviewed",)))
        assert done.report is not None
        assert (done.report.error, done.report.books.accepted, done.report.books.quarantined) == (None, 1, 1)
        assert bench.ids() == [1, 2]
        assert sorted(bench.statuses()) == ["quarantined"] * 3 + ["replayed"] * 2
        actions.discard(bench.box(), Selection(where="id = 4"), "ann", "junk")
        assert expire(bench.spec(), bench.context())[0].rows == 1
        assert bench.replay(Selection(statuses=("reviewed",))).report is None
        assert not [each for each in maintain(bench.spec(), bench.context()) if each.outcome == "failed"]
        assert (bench.ids(), len(bench.open())) == ([1, 2], 2)
        self.check(tmp_path)

    def check(self, root: Path) -> None:
        """What else must be true of the place."""


class TestFolders(Life):
    target = {"connector": "parquet"}

    @pytest.fixture
    def where(self, tmp_path: Path) -> Settings:
        return settings(tmp_path)

    def check(self, root: Path) -> None:
        """Readers of the folders see each row once."""
        import pyarrow.parquet as pq

        files = [path for path in root.rglob("orders/orders_*.parquet") if "_dativo" not in path.parts]
        assert sorted(id for path in files for id in pq.read_table(path).column("id").to_pylist()) == [1, 2]


class TestPostgres(Life):
    @pytest.fixture
    def where(self, tmp_path: Path, database: Database) -> Settings:
        return settings(tmp_path, properties={"uri": database.url}, embedded=False)


@requirement("ERR-04", "QUA-04")
class TestRestOnS3(Life):
    @pytest.fixture
    def where(self, tmp_path: Path, rest: Rest, s3: S3) -> Settings:
        return on_rest(tmp_path, rest, s3)
