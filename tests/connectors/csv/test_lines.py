"""Rows, line numbers and rejects against Python's own csv module, for any text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dativo_provider.connectors.csv import blocks as blocks_module
from dativo_provider.connectors.csv.dialect import Dialect, dialect_of
from dativo_provider.connectors.csv.records import border, count_lines, records_of
from dativo_provider.model.batch import Batch
from tests.connectors.csv.world import read_all, rejects, rows_with_lines
from tests.support import requirement

HEADER = "a,b,c"
PIECES = st.sampled_from(
    [
        "x",
        "é",
        "7",
        " ",
        ",",
        ",,",
        '"',
        '""',
        '"x"',
        '",',
        ',"',
        '"\n',
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "1,2,3\n",
        '"a\nb"',
    ]
)
ANY_TEXT = st.lists(PIECES, max_size=40).map("".join)
CELLS = st.text(st.sampled_from('ab7,;"\n\r é'), max_size=6)
NEAT = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=30)
relaxed = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def small_blocks(size: int) -> Iterator[None]:
    before, blocks_module.BLOCK_BYTES = blocks_module.BLOCK_BYTES, size
    try:
        yield
    finally:
        blocks_module.BLOCK_BYTES = before


def by_python(text: str, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    """Each record that is no blank line, with the line it begins on."""
    reader, found, line = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [], 1
    for record in reader:
        if record:
            found.append((line, record))
        line = reader.line_num + 1
    return found


def texts(batches: list[Batch]) -> list[tuple[int, list[str]]]:
    """Our rows as Python's csv gives them, which cannot tell `""` from nothing."""
    return [(line, [value or "" for value in row.values()]) for line, row in rows_with_lines(batches)]


@requirement("CON-05")
@relaxed
@example(text="1,2,3\n\n4,5,6\n", size=64)
@example(text='1,"x\n\ny",3\r\n\r\n4,5\n6,7,8,9\n', size=8)
@example(text=',,"\n', size=64)
@example(text='5","x\n6","y\n1,2,3\n', size=4)
@given(text=ANY_TEXT, size=st.integers(2, 64))
def test_rows_and_rejects_stand_on_the_lines_that_python_finds_them_on(tmp_path: Path, text: str, size: int) -> None:
    whole = f"{HEADER}\n{text}"
    (tmp_path / "f.csv").write_text(whole, encoding="utf-8", newline="")
    with small_blocks(size):
        batches = read_all(tmp_path, "f.csv")
    records = by_python(whole)[1:]
    opened = [records.pop()] if records_of(whole.encode(), Dialect()).open_quote else []
    assert texts(batches) == [record for record in records if len(record[1]) == 3]
    wrong = [record for record in records if len(record[1]) != 3] + opened
    assert [line for line, _, _ in rejects(batches)] == [line for line, _ in wrong]


@relaxed
@given(rows=NEAT, end=st.sampled_from(["\n", "\r\n", "\r"]), bom=st.booleans(), size=st.integers(8, 200))
def test_what_a_writer_wrote_is_read_back(
    tmp_path: Path, rows: list[list[str]], end: str, bom: bool, size: int
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
    text = ("\ufeff" if bom else "") + written.getvalue()
    (tmp_path / "f.csv").write_text(text, encoding="utf-8", newline="")
    with small_blocks(size):
        batches = read_all(tmp_path, "f.csv")
    assert [cells for _, cells in texts(batches)] == rows
    assert [line for line, _ in texts(batches)] == [line for line, _ in by_python(written.getvalue())[1:]]
    assert rejects(batches) == []


@relaxed
@given(text=ANY_TEXT)
def test_both_ways_to_find_records_agree(text: str) -> None:
    from dativo_provider.connectors.csv.records import _at_once, _one_by_one, _plain_ends

    data = text.encode()
    slow = _one_by_one(data, Dialect())
    fast = _at_once(data, Dialect()) if _plain_ends(data) and data else None
    if fast:
        assert (fast.starts, fast.lines, fast.open_quote) == (slow.starts, slow.lines, slow.open_quote)
    assert b"".join(data[start:end] for start, end in _spans(slow.starts.to_pylist(), len(data))) == data


def _spans(starts: list[int], end: int) -> list[tuple[int, int]]:
    return list(zip(starts, [*starts[1:], end], strict=True)) if starts else []


@relaxed
@given(text=ANY_TEXT, more=ANY_TEXT, dialect=st.sampled_from(["{}", "escape", "no quotes"]))
def test_a_border_lies_between_records_whatever_follows(text: str, more: str, dialect: str) -> None:
    chosen = {"escape": Dialect(escape_char="7"), "no quotes": Dialect(quote_char="")}.get(dialect, Dialect())
    cut = border(text.encode(), chosen)
    starts = records_of((text + more).encode(), chosen).starts.to_pylist()
    assert cut == 0 or cut == len((text + more).encode()) or cut in starts


@given(text=ANY_TEXT)
def test_lines_are_counted_as_python_splits_them(text: str) -> None:
    assert count_lines(text.encode()) == sum(line.endswith((b"\n", b"\r")) for line in text.encode().splitlines(True))


@pytest.mark.parametrize(
    ("options", "text", "rows"),
    [
        ({"delimiter": ";"}, "a;b\n1;x,y\n", [{"a": "1", "b": "x,y"}]),
        ({"delimiter": "tab"}, "a\tb\n1\tx\n", [{"a": "1", "b": "x"}]),
        ({"quote_char": "'"}, "a,b\n1,'x,''y'\n", [{"a": "1", "b": "x,'y"}]),
        ({"quote_char": ""}, 'a,b\n1,"x\n', [{"a": "1", "b": '"x'}]),
        ({"escape_char": "\\"}, 'a,b\n1\\,2,"x\\"y"\nc\\\nd,e\n', [{"a": "1,2", "b": 'x"y'}, {"a": "c\nd", "b": "e"}]),
        ({"header": False}, "1,x\n2,y\n", [{"column_1": "1", "column_2": "x"}, {"column_1": "2", "column_2": "y"}]),
        ({"header": False, "column_names": ["p", "q"]}, "1,x\n", [{"p": "1", "q": "x"}]),
        ({"column_names": ["p", "q"]}, "a,b\n1,x\n", [{"p": "1", "q": "x"}]),
        ({"null_values": ["NULL", "-"]}, 'a,b\nNULL,\n"NULL",-\n', [{"a": None, "b": ""}, {"a": "NULL", "b": None}]),
        ({"skip_rows": 2}, "made by\nsomeone\n\na,b\n1,x\n", [{"a": "1", "b": "x"}]),
        ({"chunk_size": 1}, "a,b\n1,x\n2,y\n", [{"a": "1", "b": "x"}, {"a": "2", "b": "y"}]),
    ],
)
def test_each_option_does_what_it_says(tmp_path: Path, options: dict, text: str, rows: list) -> None:
    (tmp_path / "f.csv").write_text(text, newline="")
    batches = read_all(tmp_path, "f.csv", **options)
    assert [row for _, row in rows_with_lines(batches)] == rows
    assert rejects(batches) == []


def test_positions_follow_skipped_lines_and_a_header_of_two_lines(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('junk\n"a\nb",c\n1,2\n\n"x\ny",4\n5,6\n', newline="")
    batches = read_all(tmp_path, "f.csv", skip_rows=1)
    assert [line for line, _ in rows_with_lines(batches)] == [4, 6, 8]


def test_a_file_of_one_column_keeps_its_empty_values(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('a\nx\n\n""\ny\n', newline="")
    batches = read_all(tmp_path, "f.csv")
    assert rows_with_lines(batches) == [(2, {"a": "x"}), (3, {"a": None}), (4, {"a": ""}), (5, {"a": "y"})]


def test_an_open_quote_at_the_end_is_a_reject_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text('a,b\n1,2\n3,"x\n4,5\n', newline="")
    batches = read_all(tmp_path, "f.csv")
    assert rows_with_lines(batches) == [(2, {"a": "1", "b": "2"})]
    assert rejects(batches) == [(3, '3,"x\n4,5', "the quote opened in this record is never closed")]


def test_dialects_compare_options_by_name() -> None:
    assert dialect_of({"delimiter": "\\t"}).delimiter == "\t"
