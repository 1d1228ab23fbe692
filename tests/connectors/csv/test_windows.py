"""New, touched and changed files, told by what the cursor remembers."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.connectors.csv.reader import CsvReader
from dativo_provider.connectors.csv.windows import cut, files_of
from dativo_provider.errors import Cancelled, ConfigurationError, DataError, SourceChanged, Unsupported
from dativo_provider.model.job import ContractSpec, IncrementalSpec, StreamSpec
from dativo_provider.model.stream import Cursor, Field, Slice, Window, WindowRequest
from tests.connectors.csv.world import opened, stream_of
from tests.support import requirement

STREAM = StreamSpec("s", "*.csv", "s", ContractSpec("s"), incremental=IncrementalSpec("file_modified_time"))
KEYED = replace(STREAM, key=("a",))
DAY = 86_400_000_000_000


def deliver(folder: Path, name: str, text: str, day: int = 0) -> Path:
    path = folder / name
    path.write_text(text)
    os.utime(path, ns=(day * DAY, day * DAY))
    return path


def read(
    folder: Path, stream: StreamSpec, since: Cursor | None = None, **request: Any
) -> tuple[Window, list[str], Cursor | None]:
    """One run: its window, the values of column `a`, and the cursor to commit."""
    reader = opened(folder)
    window = reader.window(stream, WindowRequest(since=since, **request))
    values, results = [], []
    for piece in [] if window.kind == "empty" else reader.slices(stream, window, 3):
        values += [value for batch in reader.read(stream, piece) for value in batch.data["a"].to_pylist()]
        results.append(reader.result())
    return window, values, CsvReader.next_cursor(window, results, since)


@requirement("STA-07", "REG-07")
def test_new_files_are_read_once_whatever_their_dates(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n", day=9)
    window, values, cursor = read(tmp_path, STREAM)
    assert (window.kind, values) == ("incremental", ["1"])
    deliver(tmp_path, "0.csv", "a\n0\n", day=2)  # older than what was read
    window, values, cursor = read(tmp_path, STREAM, cursor)
    assert values == ["0"]
    window, values, after = read(tmp_path, STREAM, cursor)
    assert (window.kind, values, after) == ("empty", [], cursor)


def test_the_cursor_remembers_fingerprints(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n2\n", day=9)
    _, _, cursor = read(tmp_path, STREAM)
    assert cursor is not None
    facts = cursor.value["files"]["1.csv"]
    assert (facts["size"], facts["mtime_ns"], facts["rows"], len(facts["sha256"])) == (6, 9 * DAY, 2, 64)


@requirement("STA-07")
def test_a_file_that_was_only_touched_is_not_read_again(tmp_path: Path) -> None:
    path = deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    _, _, cursor = read(tmp_path, STREAM)
    os.utime(path, ns=(2 * DAY, 2 * DAY))
    window, _, touched = read(tmp_path, STREAM, cursor)
    assert window.kind == "empty"
    assert touched is not None
    assert touched.value["files"]["1.csv"]["mtime_ns"] == 2 * DAY
    deliver(tmp_path, "2.csv", "a\n2\n")
    _, values, after = read(tmp_path, STREAM, cursor)  # the touch was never committed
    assert values == ["2"]
    assert after is not None
    assert after.value["files"]["1.csv"]["mtime_ns"] == 2 * DAY


@pytest.mark.parametrize("text", ["a\n9\n", "a\n1\n2\n"])
def test_a_changed_file_is_refused_with_what_can_be_done(tmp_path: Path, text: str) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    _, _, cursor = read(tmp_path, STREAM)
    deliver(tmp_path, "1.csv", text, day=2)
    with pytest.raises(SourceChanged, match=r"1\.csv") as caught:
        read(tmp_path, STREAM, cursor)
    assert "'append'" in caught.value.remedy
    assert "'replace'" in caught.value.remedy


def test_a_changed_file_is_read_again_beside_the_new_ones(tmp_path: Path) -> None:
    stream = replace(KEYED, on_changed_file="append")
    deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    deliver(tmp_path, "2.csv", "a\n2\n", day=1)
    _, _, cursor = read(tmp_path, stream)
    deliver(tmp_path, "1.csv", "a\n1\n9\n", day=2)
    deliver(tmp_path, "3.csv", "a\n3\n", day=2)
    window, values, cursor = read(tmp_path, stream, cursor)
    assert (window.kind, window.overlap, sorted(values)) == ("incremental", True, ["1", "3", "9"])
    assert any("1.csv" in note for note in window.notes)
    assert read(tmp_path, stream, cursor)[0].kind == "empty"


def test_appending_a_changed_file_without_a_key_is_refused(tmp_path: Path) -> None:
    stream = replace(STREAM, on_changed_file="append")
    deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    _, _, cursor = read(tmp_path, stream)
    deliver(tmp_path, "1.csv", "a\n1\n9\n", day=2)
    with pytest.raises(ConfigurationError, match="no key"):
        read(tmp_path, stream, cursor)


def test_replace_reads_everything_again_and_forgets_what_is_gone(tmp_path: Path) -> None:
    stream = replace(STREAM, on_changed_file="replace")
    deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    gone = deliver(tmp_path, "2.csv", "a\n2\n", day=1)
    _, _, cursor = read(tmp_path, stream)
    gone.unlink()
    deliver(tmp_path, "1.csv", "a\n7\n", day=2)
    deliver(tmp_path, "3.csv", "a\n3\n", day=1)
    window, values, cursor = read(tmp_path, stream, cursor)
    assert (window.kind, sorted(values)) == ("full", ["3", "7"])
    assert files_of(cursor).keys() == {"1.csv", "3.csv"}
    assert read(tmp_path, stream, cursor)[0].kind == "empty"


def test_a_file_that_went_and_came_back_is_known(tmp_path: Path) -> None:
    path = deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    _, _, cursor = read(tmp_path, STREAM)
    path.unlink()
    window, _, cursor = read(tmp_path, STREAM, cursor)
    assert window.kind == "empty"
    deliver(tmp_path, "1.csv", "a\n1\n", day=5)
    assert read(tmp_path, STREAM, cursor)[0].kind == "empty"


def test_a_full_reading_starts_the_memory_anew(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    old = Cursor({"files": {"old.csv": {"size": 1, "mtime_ns": 1, "sha256": "x", "rows": 1}}})
    window, values, cursor = read(tmp_path, STREAM, old, full=True)
    assert (window.kind, values) == ("full", ["1"])
    assert files_of(cursor).keys() == {"1.csv"}


def test_a_backfill_takes_files_by_their_modification_time(tmp_path: Path) -> None:
    for day in (1, 2, 3, 4):
        deliver(tmp_path, f"{day}.csv", f"a\n{day}\n", day)
    bounds = [datetime.fromtimestamp(day * 86_400, UTC) for day in (2, 4)]
    window, values, _ = read(tmp_path, STREAM, start=bounds[0].isoformat(), end=bounds[1].isoformat())
    assert (window.kind, sorted(values)) == ("range", ["2", "3"])
    assert (window.lo, window.hi) == (bounds[0].isoformat(), bounds[1].isoformat())
    assert read(tmp_path, STREAM, start="2030-01-01")[0].kind == "empty"
    assert sorted(read(tmp_path, STREAM, end="1970-01-03T00:00:00")[1]) == ["1"]
    with pytest.raises(ConfigurationError, match="no time"):
        read(tmp_path, STREAM, start="yesterday")


@requirement("STA-07")
def test_lookback_is_accepted_and_said_to_be_needless(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n")
    stream = replace(STREAM, incremental=IncrementalSpec("file_modified_time", lookback_seconds=86_400))
    window, _, cursor = read(tmp_path, stream)
    assert any("lookback" in note for note in window.notes)
    assert read(tmp_path, stream, cursor)[0].kind == "empty"


def test_files_may_deliver_known_rows_again_where_a_key_can_tell(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n")
    assert read(tmp_path, KEYED)[0].overlap
    assert not read(tmp_path, STREAM)[0].overlap


@given(sizes=st.lists(st.integers(0, 1000), min_size=1, max_size=40), want=st.integers(1, 400))
def test_slices_share_the_bytes_and_keep_every_file_once(sizes: list[int], want: int) -> None:
    files = [{"path": f"{at:03}.csv", "size": size, "mtime_ns": 0} for at, size in enumerate(sizes)]
    pieces: list[Slice] = cut(STREAM, Window(detail={"files": files}), want)
    held = [file["path"] for piece in pieces for file in piece.spec["files"]]
    assert sorted(held) == [file["path"] for file in files]
    assert len(pieces) == min(want, len(files), 256)
    loads = [sum(file["size"] + 1 for file in piece.spec["files"]) for piece in pieces]
    assert max(loads) <= sum(loads) / len(loads) + max(sizes) + 1
    assert all(piece.spec["files"] == sorted(piece.spec["files"], key=lambda file: file["path"]) for piece in pieces)


def test_a_window_without_files_has_no_slice() -> None:
    assert cut(STREAM, Window(detail={"files": []}), 4) == []


# describe, discover -------------------------------------------------------------------------------------------


@requirement("CON-05")
def test_discover_proposes_streams_with_types(tmp_path: Path) -> None:
    for name in ("jan", "feb"):
        (tmp_path / "sales").mkdir(exist_ok=True)
        deliver(
            tmp_path / "sales",
            f"{name}.csv",
            "id,at,price,flag,day,zip,note\n1,2024-01-01T00:00:00Z,1.5,true,2024-01-01,07001,\n",
        )
    deliver(tmp_path, "rates.csv", "id,price\n1,2\n,x\n")
    deliver(
        tmp_path,
        "big.csv",
        "id,mixed,n,when,hex\n9223372036854775808,1,nan,2024-01-01 10:00:00,0x1F\n1,2.5,1.0,,\n1,2,3,4,5,6\n",
    )
    deliver(tmp_path, "empty.csv", "")
    found = {stream.name: {field.name: field.type for field in stream.fields} for stream in opened(tmp_path).discover()}
    assert found == {
        "sales": {
            "id": "long", "at": "timestamptz", "price": "double", "flag": "boolean", "day": "date", "zip": "string",
            "note": "string",
        },
        "rates": {"id": "long", "price": "string"},
        "big": {"id": "string", "mixed": "double", "n": "string", "when": "timestamp", "hex": "string"},
    }  # fmt: skip
    descriptions = {stream.name: stream.description for stream in opened(tmp_path).discover()}
    assert descriptions == {"sales": "2 files like sales/feb.csv", "rates": "rates.csv", "big": "big.csv"}


def test_two_folders_of_one_name_are_two_streams(tmp_path: Path) -> None:
    for folder in ("a/x", "b/x"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("1.csv", "2.csv"):
            deliver(tmp_path / folder, name, "n\n1\n")
    assert [stream.name for stream in opened(tmp_path).discover()] == ["x", "b_x_1"]


def test_discover_may_be_limited_to_a_path(tmp_path: Path) -> None:
    deliver(tmp_path, "a.csv", "n\n1\n")
    deliver(tmp_path, "b.csv", "n\n1\n")
    assert [stream.name for stream in opened(tmp_path, connection={"path": "b.csv"}).discover()] == ["b"]


def test_describe_without_a_contract_widens_types_over_files(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a,b,c\n1,1,\n")
    deliver(tmp_path, "2.csv", "a,b,d\n1.5,x,2\n")
    fields = opened(tmp_path).describe(stream_of("*.csv")).fields
    assert {field.name: field.type for field in fields} == {"a": "double", "b": "string", "c": "string", "d": "long"}


def test_describe_takes_the_contracts_types_and_the_columns_asked_for(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a,b,c\n1,1,1\n")
    contract = [Field("b", "decimal(9,2)")]
    described = opened(tmp_path).describe(stream_of("*.csv", contract, columns=("c", "b")))
    assert [(field.name, field.type) for field in described.fields] == [("c", "string"), ("b", "decimal(9,2)")]
    reader, stream = opened(tmp_path), stream_of("*.csv", contract, columns=("c", "b"))
    (piece,) = reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 1)
    assert [batch.data.schema.names for batch in reader.read(stream, piece)] == [["c", "b"]]


def test_a_column_no_file_has_is_named_with_its_nearest(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "amount,b\n1,1\n")
    with pytest.raises(SourceChanged, match="no file has a column 'amuont'") as caught:
        opened(tmp_path).describe(stream_of("*.csv", columns=("amuont",)))
    assert "did you mean 'amount'" in caught.value.remedy


def test_without_files_the_contract_tells_the_columns_or_nobody(tmp_path: Path) -> None:
    fields = opened(tmp_path).describe(stream_of("*.csv", [Field("a", "long")])).fields
    assert [field.name for field in fields] == ["a"]
    with pytest.raises(ConfigurationError, match="no file tells the columns"):
        opened(tmp_path).describe(stream_of("*.csv"))


def test_check_is_content_with_files_of_any_name_and_reads_those_named_as_csv(tmp_path: Path) -> None:
    deliver(tmp_path, "export.dat", "a,a\n")
    opened(tmp_path).check()
    assert opened(tmp_path).discover() == []
    deliver(tmp_path, "export.csv", "a,a\n")
    with pytest.raises(DataError, match="more than once"):
        opened(tmp_path).check()


def test_hashing_a_touched_file_can_be_cancelled(tmp_path: Path) -> None:
    path = deliver(tmp_path, "1.csv", "a\n1\n", day=1)
    _, _, cursor = read(tmp_path, STREAM)
    os.utime(path, ns=(2 * DAY, 2 * DAY))
    reader = opened(tmp_path)
    reader.ctx.cancel()
    with pytest.raises(Cancelled):
        reader.window(STREAM, WindowRequest(since=cursor))


@pytest.mark.parametrize("part", [{"where": "a > 1"}, {"query": "select 1"}])
def test_sql_on_files_is_refused(tmp_path: Path, part: dict[str, str]) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n")
    with pytest.raises(Unsupported, match="'where' or 'query'"):
        opened(tmp_path).describe(stream_of("*.csv", **part))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("delimiter", ",,"), ("delimiter", "é"), ("delimiter", "\n"), ("quote_char", "''"), ("header", "yes"),
        ("skip_rows", -1), ("skip_rows", True), ("column_names", "a"), ("null_values", [1]), ("encoding", "nonsense"),
        ("encoding", "base64"), ("encoding", 8), ("max_record_mb", 0), ("escape_char", '"'), ("deliminator", ";"),
    ],
)  # fmt: skip
def test_impossible_options_are_named(tmp_path: Path, option: str, value: Any) -> None:
    deliver(tmp_path, "1.csv", "a\n1\n")
    with pytest.raises(ConfigurationError, match=option) as caught:
        opened(tmp_path, options={option: value}).check()
    assert caught.value.remedy


def test_options_of_the_stream_win_over_those_of_the_source(tmp_path: Path) -> None:
    deliver(tmp_path, "1.csv", "a;b\n1;2\n")
    reader = opened(tmp_path, options={"delimiter": "|"})
    fields = reader.describe(stream_of("*.csv", options={"delimiter": ";"})).fields
    assert [field.name for field in fields] == ["a", "b"]
