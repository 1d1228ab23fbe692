"""A file in parts is read as it is whole: the same rows, lines, rejects and fingerprint, whatever stands in it."""

from __future__ import annotations

import codecs
import gzip
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dativo_provider.connectors.csv import windows as windows_module
from dativo_provider.errors import Cancelled, SourceChanged
from dativo_provider.model.batch import Batch
from dativo_provider.model.stream import Field, ReadResult, Slice, WindowRequest
from tests.connectors.csv.test_lines import ANY_TEXT, HEADER, NEAT, relaxed, small_blocks
from tests.connectors.csv.world import opened, rejects, rows_with_lines, stream_of
from tests.support import requirement

FIELDS = (Field("a", "string"), Field("b", "string"), Field("c", "string"))


@contextmanager
def small_parts(block: int) -> Iterator[None]:
    before, windows_module.SMALLEST_PART = windows_module.SMALLEST_PART, 0
    try:
        with small_blocks(block):
            yield
    finally:
        windows_module.SMALLEST_PART = before


def read(root: Path, want: int, block: int = 64, **options: Any) -> tuple[list[Slice], list[Batch], Any]:
    """Slices, their batches, and the files of the cursor they come to."""
    stream = stream_of("*.csv*", FIELDS, options=options)
    with small_parts(block):
        reader = opened(root)
        window = reader.window(stream, WindowRequest(full=True))
        pieces = reader.slices(stream, window, want)
        batches: list[Batch] = []
        results: list[ReadResult] = []
        for piece in pieces:
            batches += reader.read(stream, piece)
            results.append(reader.result())
    cursor = reader.next_cursor(window, results, None)
    return pieces, batches, cursor and cursor.value["files"]


def same(root: Path, want: int, block: int, **options: Any) -> int:
    """How many slices there were, once it is certain that they read what one does."""
    _, whole, files = read(root, 1, block, **options)
    pieces, parts, cursor = read(root, want, block, **options)
    assert sorted(map(str, rows_with_lines(parts))) == sorted(map(str, rows_with_lines(whole)))
    assert sorted(rejects(parts)) == sorted(rejects(whole))
    assert cursor == files
    return len(pieces)


@requirement("ING-14")
@relaxed
@given(text=ANY_TEXT, want=st.integers(2, 6), block=st.sampled_from([1, 3, 16, 64]), mark=st.booleans())
@example(text='x,"a\nb",1\n' * 8, want=3, block=16, mark=True)
@example(text="1,2,3\r\n" * 8, want=4, block=3, mark=False)
def test_any_text_reads_the_same_in_parts(
    text: str, want: int, block: int, mark: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("any")
    head = codecs.BOM_UTF8 if mark else b""
    (folder / "a.csv").write_bytes(head + f"{HEADER}\n{text}".encode())
    same(folder, want, block)


@requirement("ING-14")
@relaxed
@given(rows=NEAT.filter(lambda rows: len(rows) > 8), want=st.integers(2, 5), block=st.sampled_from([8, 32]))
def test_well_quoted_files_are_divided_and_read_the_same(
    rows: Sequence[Sequence[str]], want: int, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("neat")
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    (folder / "a.csv").write_text("\n".join([HEADER, *lines, ""]), newline="")
    assert same(folder, want, block) > 1


@requirement("ING-14")
def test_a_big_file_beside_small_ones_is_divided_and_they_are_not(tmp_path: Path) -> None:
    for name in "bcd":
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}\n1,2,3\n")
    (tmp_path / "a.csv").write_text(f"{HEADER}\n" + "".join(f"{n},x,y\n" for n in range(500)))
    assert same(tmp_path, 4, 64) == 4
    pieces, *_ = read(tmp_path, 4)
    whole = [piece for piece in pieces if "part" not in piece.spec]
    assert [[file["path"] for file in piece.spec["files"]] for piece in whole] == [["b.csv", "c.csv", "d.csv"]]


@requirement("ING-14")
@pytest.mark.parametrize(
    ("name", "made", "options"),
    [
        ("a.csv.gz", lambda text: gzip.compress(text.encode()), {}),
        ("a.csv", lambda text: text.encode("utf-16"), {}),
        ("a.csv", lambda text: text.encode("cp1252"), {"encoding": "cp1252"}),
        ("a.csv", lambda text: text.replace("7,", '7"7,').encode(), {}),
        ("a.csv", lambda text: b"", {}),
    ],
    ids=["gzip", "utf-16", "cp1252", "stray quotes", "empty"],
)
def test_what_cannot_be_divided_for_certain_is_read_whole(
    name: str, made: Any, options: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(made(f"{HEADER}\n" + "".join(f"{n},é,y\n" for n in range(200))))
    assert same(tmp_path, 4, 64, **options) == 1


def test_small_files_are_not_worth_dividing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n" + "1,2,3\n" * 1000)
    reader, stream = opened(tmp_path), stream_of("*.csv", FIELDS)
    assert len(reader.slices(stream, reader.window(stream, WindowRequest(full=True)), 8)) == 1


@requirement("ING-14")
def test_a_part_that_is_no_longer_what_was_planned_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"{HEADER}\n" + "1,2,3\n" * 100)
    before = path.stat().st_mtime_ns
    pieces, *_ = read(tmp_path, 2)
    assert len(pieces) == 2
    path.write_text(f"{HEADER}\n" + "1,2,3\n" * 99 + "1,2,4\n")
    os.utime(path, ns=(before, before))
    reader, stream = opened(tmp_path), stream_of("*.csv", FIELDS)
    assert list(reader.read(stream, pieces[0]))
    with pytest.raises(SourceChanged):
        list(reader.read(stream, pieces[1]))


def test_dividing_can_be_cancelled(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEADER}\n" + "1,2,3\n" * 1000)
    reader, stream = opened(tmp_path), stream_of("*.csv", FIELDS)
    window = reader.window(stream, WindowRequest(full=True))
    reader.ctx.cancelled.set()
    with small_parts(64), pytest.raises(Cancelled):
        reader.slices(stream, window, 2)
