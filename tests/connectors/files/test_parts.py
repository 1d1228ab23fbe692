"""One large object in parts: each row is read once and at its place, wherever the borders fall and whatever changes."""

from __future__ import annotations

import codecs
import gzip
import io
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dativo_provider.connectors.files.formats import Asked, format_named
from dativo_provider.connectors.files.formats.base import Division, Span
from dativo_provider.connectors.files.ranges import Ahead, Anywhere
from dativo_provider.errors import Cancelled, SourceChanged
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Field, Slice, WindowRequest
from tests.conformance.readers import rows_of
from tests.connectors.csv.test_lines import ANY_TEXT, HEADER, NEAT, relaxed, small_blocks
from tests.connectors.files.local import opened, stream_of
from tests.connectors.files.remote import Bucket
from tests.connectors.files.test_buckets import events, read
from tests.connectors.files.writing import csv, jsonl, parquet
from tests.support import requirement

TEXTS = stream_of("x", [Field(name, "string") for name in HEADER.split(",")])
PEOPLE = stream_of("x", [Field("id", "long"), Field("name", "string")])
STEP = 7  # bytes of a range
fewer = settings(relaxed, max_examples=60)


def parts_of(name: str, data: bytes, want: int, stream: StreamSpec, block: int) -> tuple[list[Span], list[Any]]:
    """The spans, and place and row, or place and text of what is rejected, of all that they hold, fetched in ranges."""

    def fetch(at: int, size: int) -> bytes:
        return data[at : at + size]

    with ThreadPoolExecutor(2) as pool, small_blocks(block):
        form, asked = format_named(name, {}), Asked(stream, "x", pool, block_bytes=block)
        in_order: Any = io.BufferedReader(Ahead(fetch, len(data), pool, lambda: None, STEP), STEP)
        spans, found = form.spans(in_order, Division("x", len(data), want)), list[Any]()
        either: list[Span | None] = [*spans] or [None]
        for span in either:
            file: Any = Anywhere(fetch, len(data), pool, lambda: None, STEP, 4 * STEP)
            found += placed(form.batches(file, asked, span))
    return spans, found


def placed(batches: Iterable[Batch]) -> list[Any]:
    found: list[Any] = []
    for batch in batches:
        assert batch.positions is not None
        rows = zip(batch.positions.to_pylist(), batch.data.to_pylist(), strict=True)
        rejects = ((each.position, each.raw) for each in batch.rejects)
        found += sorted([*rows, *rejects], key=lambda each: each[0])
    return found


def whole(name: str, data: bytes, stream: StreamSpec, block: int) -> list[Any]:
    with ThreadPoolExecutor(1) as pool, small_blocks(block):
        return placed(
            format_named(name, {}).batches(io.BytesIO(data), Asked(stream, "x", pool, block_bytes=block), None)
        )


@requirement("ING-14", "CON-20")
@fewer
@given(text=ANY_TEXT, want=st.integers(2, 6), block=st.sampled_from([1, 3, 16, 64]), mark=st.booleans())
@example(text='x,"a\nb",1\n' * 8, want=3, block=16, mark=True)
def test_any_csv_reads_the_same_in_parts(text: str, want: int, block: int, mark: bool) -> None:
    data = (codecs.BOM_UTF8 if mark else b"") + f"{HEADER}\n{text}".encode()
    _, found = parts_of("csv", data, want, TEXTS, block)
    assert found == whole("csv", data, TEXTS, block)


@requirement("ING-14", "CON-20")
@fewer
@given(rows=NEAT.filter(lambda rows: len(rows) > 8), want=st.integers(2, 5), block=st.sampled_from([8, 32]))
def test_csv_with_line_ends_in_quotes_is_divided_and_reads_the_same(rows: Any, want: int, block: int) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    data = "\n".join([HEADER, *lines, ""]).encode()
    spans, found = parts_of("csv", data, want, TEXTS, block)
    assert len(spans) > 1
    assert found == whole("csv", data, TEXTS, block)


@requirement("ING-14")
@pytest.mark.parametrize(
    "made",
    [
        lambda text: gzip.compress(text.encode()),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("3", '3"3', 1).encode(),
    ],
    ids=["gzip", "utf-16", "a stray quote"],
)
def test_csv_that_cannot_be_divided_for_certain_is_read_whole(made: Callable[[str], bytes]) -> None:
    data = made(f"{HEADER}\n" + "1,é,3\n" * 200)
    spans, found = parts_of("csv", data, 4, TEXTS, 64)
    assert spans == []
    assert found == whole("csv", data, TEXTS, 64)


@requirement("ING-14")
@fewer
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=12),
    want=st.integers(1, 9),
    mark=st.booleans(),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
def test_parts_of_json_lines_hold_each_line_once_at_its_byte(
    names: list[str], want: int, mark: bool, end: bytes
) -> None:
    """Wherever the borders of the parts fall: in a line, at its end, in one that is longer than a part."""
    lines = [b'{"id": %d, "name": %s}' % (at, json.dumps(name).encode()) for at, name in enumerate(names)]
    head = codecs.BOM_UTF8 if mark else b""
    _, found = parts_of("jsonl", head + end.join(lines), want, PEOPLE, 20)
    starts = [len(head) + sum(len(line) + len(end) for line in lines[:at]) for at in range(len(lines))]
    records = [{"id": at, "name": name} for at, name in enumerate(names)]
    assert found == list(zip(starts, records, strict=True))


# Parts of an object that is another by now ---------------------------------------------------------------------

MAKE: dict[str, Callable[[Any], bytes]] = {
    "csv": csv,
    "jsonl": jsonl,
    "parquet": partial(parquet, row_group_size=1000, compression="none", use_dictionary=False),
}


@pytest.fixture(params=MAKE)
def divided(
    request: pytest.FixtureRequest, s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> tuple[Bucket, str, StreamSpec, list[Slice]]:
    """A bucket with one large object, its name, a stream and its slices."""
    monkeypatch.setattr("dativo_provider.connectors.csv.windows.SMALLEST_PART", 1 << 20)
    name = f"in/a.{request.param}"
    s3_bucket.put(name, MAKE[request.param](long_rows()))
    stream = events(f"{s3_bucket.uri}/in/*")
    reader = opened(s3_bucket.source())
    with small_blocks(64 << 10):
        pieces = reader.slices(stream, reader.window(stream, WindowRequest()), 4)
    return s3_bucket, name, stream, pieces


def long_rows(sign: int = 1) -> list[dict[str, Any]]:
    """Of any sign as many bytes; every seventh name has a line end in it."""
    rows = rows_of(8000)
    return [
        {**each, "id": sign * (10_000 + at), "name": "x" * 500 + "\n" * (at % 7 == 0)} for at, each in enumerate(rows)
    ]


@requirement("ING-14", "CON-20")
def test_parts_of_an_object_are_together_the_object(divided: Any) -> None:
    bucket, _, stream, pieces = divided
    assert len(pieces) == 4
    reader, results, ids = opened(bucket.source()), [], []
    window = reader.window(stream, WindowRequest())
    for piece in pieces:
        ids += [row["id"] for batch in reader.read(stream, piece) for row in batch.data.to_pylist()]
        results.append(reader.result())
    assert ids == [each["id"] for each in long_rows()]
    cursor = reader.next_cursor(window, results, None)
    assert cursor is not None
    assert [each["rows"] for each in cursor.value["files"].values()] == [8000]
    assert read(bucket.source(), stream, cursor)[0] == []


@requirement("ING-14", "ING-17")
def test_every_part_of_a_replaced_object_is_refused_and_the_next_run_reads_all_of_it(divided: Any) -> None:
    """The first part has been read when the object is replaced, by one of the same length."""
    bucket, name, stream, pieces = divided
    reader = opened(bucket.source())
    assert list(reader.read(stream, pieces[0]))
    ending = name.rpartition(".")[2]
    bucket.put(name, MAKE[ending](long_rows(-1)))
    for piece in pieces:
        with pytest.raises(SourceChanged, match="changed"):
            list(opened(bucket.source()).read(stream, piece))
    ids, _ = read(bucket.source(), stream)
    assert ids == [each["id"] for each in long_rows(-1)]


def test_dividing_an_object_can_be_cancelled(s3_bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dativo_provider.connectors.csv.windows.SMALLEST_PART", 1 << 10)
    s3_bucket.put("a.csv", csv(rows_of(1000)))
    reader, stream = opened(s3_bucket.source()), events(f"{s3_bucket.uri}/a.csv")
    window = reader.window(stream, WindowRequest())
    reader.ctx.cancelled.set()
    with pytest.raises(Cancelled):
        reader.slices(stream, window, 2)
