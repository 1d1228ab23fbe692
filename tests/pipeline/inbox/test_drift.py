"""Rows that were set aside because the source's schema had changed, and what a new contract makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field
from dativo_provider.vocabulary import SchemaChange
from tests.pipeline.inbox.build import InboxBench
from tests.support import requirement

pytestmark = pytest.mark.one_set  # what is read and written is test_replay's; here it is about contracts

ID = Field("id", "long", required=True)
REGION = Field("region", "string")


@requirement("QUA-03", "DQ-03")
@pytest.mark.parametrize(
    ("change", "files", "before", "after", "reason", "published"),
    [
        (
            "new_column", {"a": ("id,region,note", "1,eu,", "2,us,late")},
            (ID, REGION), (ID, REGION, Field("note", "string")), "note.unknown",
            {1: None, 2: "late"},
        ),
        (
            "missing_column", {"a": ("id,region", "1,eu"), "b": ("id", "2")},
            (ID, REGION), (ID,), "region.missing",
            {1: "eu", 2: None},
        ),
        (
            "other_type", {"a": ("id,n", "1,5", "2,3000000000")},
            (ID, Field("n", "int")), (ID, Field("n", "long")), "n.type",
            {1: 5, 2: 3_000_000_000},
        ),
    ],
    ids=["a new column", "a missing column", "another type"],
)  # fmt: skip
def test_rows_set_aside_for_drift_are_replayed_under_a_new_version_of_the_contract(
    tmp_path: Path, change: SchemaChange, files: Any, before: Any, after: Any, reason: str, published: Any
) -> None:
    bench = InboxBench(tmp_path, fields=before, target={"schema_policies": SchemaPolicies({change: "discard_row"})})
    for name, (header, *lines) in files.items():
        bench.csv(f"{name}.csv", *lines, header=header)
    bench.run()
    [entry] = bench.open()
    assert (entry.reasons, entry.contract_version) == ((reason,), "1.0.0")
    bench.renewed(after)
    report = bench.replay().report
    assert report is not None
    assert (report.error, report.books.accepted) == (None, 1)
    column = next(name for name in ("note", "n", "region") if name in bench.rows()[0])
    assert {row["id"]: row[column] for row in bench.rows()} == published
    assert bench.open() == []
    assert bench.replay().report is None, "nothing is left"
