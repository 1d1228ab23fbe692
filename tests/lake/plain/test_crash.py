"""kill -9 while a plain table is published; then everything is there once, for both kinds of readers."""

from __future__ import annotations

from collections.abc import Sequence

from tests.conformance.crash import CrashSuite
from tests.lake.killing import Point
from tests.lake.plain.test_folders import seen
from tests.lake.support import Lake

_CATALOG = "dativo_provider.lake.plain.catalog:FolderCatalog"
_PLACEMENT = "dativo_provider.lake.plain.placement:Placement"
POINTS = {
    "nothing is copied": Point(f"{_PLACEMENT}._announce"),
    "the run is announced": Point(f"{_PLACEMENT}._announce", "after"),
    "one file is copied": Point(f"{_PLACEMENT}._copy", "after"),
    "all are copied": Point(f"{_PLACEMENT}.__call__", "after"),
    "before the version is put": Point(f"{_CATALOG}._put"),
    "the version is put": Point(f"{_CATALOG}._put", "after"),
    "the hint lags": Point("dativo_provider.files.local:LocalFiles.write"),
    "before the quarantine": Point("dativo_provider.lake.publish:finish_pending"),
    "the quarantine is copied": Point(f"{_PLACEMENT}.__call__", "after", 2),
    "the quarantine is in": Point(f"{_CATALOG}.commit_table", "after", 2),
}


class TestPlain(CrashSuite):
    points = POINTS
    replacing = [name for name, point in POINTS.items() if point.call == 1 and "publish" not in point.place]
    target = {"connector": "parquet"}

    def check(self, lake: Lake, rows: Sequence[int], bad: Sequence[str] = ()) -> None:
        super().check(lake, rows, bad)
        assert seen(lake) == list(rows)
        if bad:
            assert seen(lake, "row_id", quarantine=True) == list(bad)
