"""Which files of a path are read, what their paths tell, and options that change between two runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.connectors.files.told import PathColumns
from dativo_provider.connectors.registry import connector
from dativo_provider.errors import ConfigurationError, SourceChanged
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Cursor, Field, Window, WindowRequest
from tests.conformance.readers import rows_of as suite_rows
from tests.connectors.files.local import opened, rows_of, stream_of
from tests.connectors.files.remote import Bucket
from tests.connectors.files.writing import WRITE
from tests.support import requirement

DAY = Field("dt", "date")


def text(name: str, data: str, folder: Path) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(data)


def source(kind: str, folder: Path, **options: Any) -> SourceSpec:
    return SourceSpec(kind, roots=(str(folder),), options=options)


def run(
    source: SourceSpec, stream: StreamSpec, since: Cursor | None = None
) -> tuple[list[dict[str, Any]], Cursor | None, Window]:
    reader = connector(source.connector).load("source")(source, RunContext(Settings(home="")))
    window = reader.window(stream, WindowRequest(since=since))
    batches, results = [], []
    for piece in reader.slices(stream, window, 1) if window.kind != "empty" else ():
        batches += list(reader.read(stream, piece))
        results.append(reader.result())
    return rows_of(batches), reader.next_cursor(window, results, since), window


def incremental(path: str, *fields: Field, **rest: Any) -> StreamSpec:
    return stream_of(path, fields, incremental=IncrementalSpec("file_modified_time"), **rest)


# Paths ----------------------------------------------------------------------------------------------------------


@requirement("CON-20", "CON-05")
@pytest.mark.parametrize(
    ("pattern", "path", "told"),
    [
        ("in/{date}/*.csv", "in/2026-01-02/a.csv", {"date": "2026-01-02"}),
        ("in/{date}/**/*.csv", "in/1/in/2/a.csv", {"date": "1"}),
        ("s3://b/orders-{region}-{day}.csv.gz", "s3://b/orders-eu-7.csv.gz", {"region": "eu", "day": "7"}),
        ("**/{shop}/{shop}.csv", "x/a/a.csv", {"shop": "a"}),
        ("in/{2}/{name}/a", "in/{2}/b/a", {"name": "b"}),
        ("in/*.csv", "in/a.csv", {}),
    ],
)
def test_a_name_in_braces_is_a_column_of_what_stands_there(pattern: str, path: str, told: Mapping[str, str]) -> None:
    assert PathColumns([pattern], hive=False).of(path) == told


@requirement("CON-20")
def test_folders_of_hive_tell_columns_with_their_escapes_and_their_null() -> None:
    told = PathColumns(["s3://b/**"], hive=True).of(
        "s3://b/dt=2026-01-02/shop=a%2Fb c/kind=__HIVE_DEFAULT_PARTITION__/n=1=2/x=y.csv"
    )
    assert told == {"dt": "2026-01-02", "shop": "a/b c", "kind": None, "n": "1=2"}


@requirement("CON-20", "CON-05")
@pytest.mark.parametrize("ending", ["csv", "jsonl", "json", "parquet", "avro"])
def test_what_paths_tell_stands_in_every_row(ending: str, tmp_path: Path) -> None:
    for day in ("2026-01-01", "2026-01-02"):
        path = tmp_path / f"in/dt={day}/eu.{ending}"
        path.parent.mkdir(parents=True)
        path.write_bytes(WRITE[ending](suite_rows(2)))
    kind = {"jsonl": "json"}.get(ending, ending)
    stream = incremental(f"in/*/{{region}}.{ending}", Field("id", "long"), DAY, Field("region", "string"))
    found, _, _ = run(source(kind, tmp_path, hive_partitioning=True), stream)
    expected = [(at, day, "eu") for day in ("2026-01-01", "2026-01-02") for at in (1, 2)]
    assert [(row["id"], row["dt"], row["region"]) for row in found] == expected
    reader = opened(source(kind, tmp_path, hive_partitioning=True))
    types = {field.name: field.type for field in reader.describe(stream).fields}
    assert (types["dt"], types["region"]) == ("date", "string")
    chosen = replace(stream, columns=("region", "id"))
    assert [field.name for field in reader.describe(chosen).fields] == ["region", "id"]
    assert {tuple(sorted(row)) for row in run(source(kind, tmp_path, hive_partitioning=True), chosen)[0]} == {
        ("id", "region")
    }


@requirement("CON-20")
@pytest.mark.parametrize(
    ("ending", "more"), [("csv", b""), ("jsonl", b""), ("jsonl", b"\n"), ("json", b""), ("parquet", b""), ("avro", b"")]
)
def test_rows_of_which_only_what_the_path_tells_is_wanted_are_all_there(
    ending: str, more: bytes, tmp_path: Path
) -> None:
    path = tmp_path / f"dt=2026-01-01/eu.{ending}"
    path.parent.mkdir(parents=True)
    path.write_bytes(more + WRITE[ending](suite_rows(3)))
    kind = {"jsonl": "json"}.get(ending, ending)
    stream = incremental(f"**/*.{ending}", columns=("dt",))
    found, _, _ = run(source(kind, tmp_path, hive_partitioning=True), stream)
    assert found == [{"dt": "2026-01-01"}] * 3


@pytest.mark.parametrize("ending", ["jsonl", "json", "parquet", "avro"])
def test_rows_of_a_file_that_has_none_of_the_wanted_columns_still_count(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{ending}").write_bytes(WRITE[ending](suite_rows(3)) + b"\n" * (ending == "jsonl"))
    kind = {"jsonl": "json"}.get(ending, ending)
    reader, stream = opened(source(kind, tmp_path)), incremental(f"*.{ending}", columns=("later",))
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest()), 1)
    assert [batch.data.num_rows for batch in reader.read(stream, piece)] == [3]


def test_without_the_option_folders_are_no_columns(tmp_path: Path) -> None:
    text("dt=1/a.csv", "id\n1\n", tmp_path)
    assert run(source("csv", tmp_path), incremental("**/*.csv"))[0] == [{"id": "1"}]


def test_a_path_counts_for_more_than_a_column_of_its_name(tmp_path: Path) -> None:
    text("dt=1/a.csv", "id,dt\n1,9\n", tmp_path)
    assert run(source("csv", tmp_path, hive_partitioning=True), incremental("**/*.csv"))[0] == [{"id": "1", "dt": "1"}]


def test_where_no_path_tells_a_column_that_of_the_file_stands(tmp_path: Path) -> None:
    text("eu/x.csv", "id\n1\n", tmp_path)
    text("all/a.csv", "id,region\n2,de\n", tmp_path)
    found, _, _ = run(source("csv", tmp_path), incremental("{region}/x.csv,all/*.csv"))
    assert {(row["id"], row["region"]) for row in found} == {("1", "eu"), ("2", "de")}
    assert PathColumns(["a/{dt}/x.csv", "b/**"], hive=True).of("b/dt=1/x.csv") == {"dt": "1"}


@requirement("CON-20")
def test_objects_tell_columns_wherever_the_root_is(s3_bucket: Bucket) -> None:
    s3_bucket.put("in/2026-01-01/a b.csv", b"id\n1\n")
    for path in ("in/{day}/{name}.csv", f"{s3_bucket.uri}/in/{{day}}/{{name}}.csv"):
        found, _, _ = run(s3_bucket.source(), incremental(path))
        assert found == [{"id": "1", "day": "2026-01-01", "name": "a b"}]


def test_a_second_root_and_an_absolute_path_tell_columns_as_well(tmp_path: Path) -> None:
    for root in ("one", "two"):
        text(f"{root}/x/7.csv", "id\n1\n", tmp_path)
    both = SourceSpec("csv", roots=(str(tmp_path / "one"), str(tmp_path / "two")))
    path = f"{tmp_path}/one/x/{{n}}.csv,{tmp_path}/two/x/{{n}}.csv"
    assert run(both, incremental(path))[0] == [{"id": "1", "n": "7"}] * 2


# Times ----------------------------------------------------------------------------------------------------------


@requirement("CON-20", "CON-05")
@pytest.mark.parametrize("since", ["2026-01-02", date(2026, 1, 2), "2026-01-02T00:00:00+00:00"])
@pytest.mark.parametrize(("kind", "ending"), [("csv", "csv"), ("json", "jsonl")])
def test_files_from_before_a_time_are_not_looked_at(kind: str, ending: str, since: Any, tmp_path: Path) -> None:
    for day in (1, 2, 3):
        path = tmp_path / f"{day}.{ending}"
        path.write_bytes(WRITE[ending](suite_rows(1, day)))
        os.utime(path, (at := datetime(2026, 1, day, tzinfo=UTC).timestamp(), at))
    asked = source(kind, tmp_path, modified_after=since, on_deleted_file="refuse")
    stream = incremental(f"*.{ending}", Field("id", "long"))
    first, cursor, _ = run(asked, stream)
    assert [row["id"] for row in first] == [2, 3]
    later = source(kind, tmp_path, modified_after="2026-01-03", on_deleted_file="refuse")
    assert run(later, stream, cursor)[0] == []  # what is only not looked at is not gone


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("modified_after", "yesterday"),
        ("modified_after", True),
        ("hive_partitioning", "yes"),
        ("on_changed_options", "x"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_impossible_values_are_named(kind: str, option: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=option):
        opened(source(kind, tmp_path, **{option: value})).window(incremental("*"), WindowRequest())


# Options that change --------------------------------------------------------------------------------------------


def delivered(folder: Path) -> tuple[StreamSpec, Cursor | None]:
    text("a.csv", "id,name\n1,x\n", folder)
    stream = incremental("*.csv")
    return stream, run(source("csv", folder), stream)[1]


@requirement("ING-17")
def test_files_keep_the_rows_they_brought_when_options_change_and_the_report_says_so(tmp_path: Path) -> None:
    """A supplier who changes his delimiter changes it for the files to come."""
    stream, cursor = delivered(tmp_path)
    text("b.csv", "id;name\n2;y\n", tmp_path)
    found, cursor, window = run(source("csv", tmp_path, delimiter=";"), stream, cursor)
    assert found == [{"id": "2", "name": "y"}]
    assert "delimiter" in window.notes[-1]
    text("c.csv", "id;name\n3;z\n", tmp_path)
    _, cursor, window = run(source("csv", tmp_path, delimiter=";"), stream, cursor)
    assert window.notes == ()
    assert "delimiter" in run(source("csv", tmp_path), stream, cursor)[2].notes[-1]


@requirement("ING-17")
@pytest.mark.parametrize(
    ("options", "rest"), [({"on_changed_options": "replace"}, {}), ({}, {"on_changed_file": "replace"})]
)
def test_changed_options_read_everything_again_where_that_is_asked(options: Any, rest: Any, tmp_path: Path) -> None:
    stream, cursor = delivered(tmp_path)
    asked, stream = source("csv", tmp_path, header=False, **options), replace(stream, **rest)
    found, after, window = run(asked, stream, cursor)
    assert (window.kind, len(found)) == ("full", 2)
    assert run(asked, stream, after)[2].kind == "empty"


@requirement("ING-17")
def test_changed_options_stop_the_run_where_that_is_asked(tmp_path: Path) -> None:
    stream, cursor = delivered(tmp_path)
    with pytest.raises(SourceChanged, match="header"):
        run(source("csv", tmp_path, header=False, on_changed_options="refuse"), stream, cursor)
    same = source("csv", tmp_path, batch_size=1, max_record_mb=2, on_changed_options="refuse")
    assert run(same, stream, cursor)[2].kind == "empty"


def test_a_state_from_before_options_were_remembered_reads_nothing_again(tmp_path: Path) -> None:
    stream, cursor = delivered(tmp_path)
    assert cursor is not None
    assert cursor.value["options"] == {}
    before = Cursor({"files": cursor.value["files"]})
    asked = source("csv", tmp_path, delimiter=";", on_changed_options="replace")
    assert run(asked, stream, before)[2].kind == "empty"
    assert run(asked, stream, cursor)[2].kind == "full"


def test_options_of_objects_and_documents_are_remembered_too(tmp_path: Path) -> None:
    text("a.json", '{"rows": [{"id": 1}], "old": [{"id": 9}]}', tmp_path)
    stream = incremental("*.json")
    _, cursor, _ = run(source("json", tmp_path, records="rows"), stream)
    asked = source("json", tmp_path, records="old", on_changed_options="replace")
    assert run(asked, stream, cursor)[0] == [{"id": 9}]
    assert cursor is not None
    assert "rows" not in str(cursor.value["options"])  # marks, no values
