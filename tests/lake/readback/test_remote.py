"""Tables in an object store behind a REST catalog, found by DuckDB through the catalog and through their metadata."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lake.places import on_rest
from tests.lake.readback.engines import EVOLVED, QUESTIONS, ours, theirs
from tests.lake.readback.tables import Grown, as_arrow
from tests.services.duck import attaches, reads_from
from tests.services.engine import Engine
from tests.services.rest import Rest
from tests.services.s3 import S3
from tests.support import requirement


@requirement("CON-30", "ING-08", "ING-20")
@pytest.mark.parametrize("mode", ["append", "merge"])
def test_duckdb_finds_a_table_of_a_rest_catalog_in_an_object_store(
    duck: Engine, rest: Rest, s3: S3, tmp_path: Path, mode: str
) -> None:
    table = Grown(mode, on_rest(tmp_path, rest, s3))
    for stage in ("again", "evolved"):
        table.reach(stage)
    asked = QUESTIONS | EVOLVED
    expected = ours(as_arrow(table.expected), asked)
    place = table.table.metadata_location
    assert place.startswith("s3://")
    duck.query({}, [reads_from(s3)])
    direct = theirs(duck, {"direct": place}, {"direct": asked})
    assert {name: direct["direct", name] for name in asked} == expected
    duck.query({}, [attaches(rest, "lake")])
    found = duck.query({}, [text.format(f"lake.acme.{mode}") for text in asked.values()])
    assert dict(zip(asked, found, strict=True)) == expected
    duck.query({}, ["detach lake"])
