"""REQUIREMENTS 3.5: documents of `key:: value` lines, and what careless parsers lose of them."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.connectors.files.formats.markdown_kv import document_id
from dativo_provider.connectors.files.markdown import parsed
from dativo_provider.errors import DataError
from dativo_provider.model.job import SourceSpec
from tests.connectors.files.local import opened, read_all, rows_of, stream_of
from tests.support import proves, requirement

MEGABYTE = 1 << 20
TEXT_OF = """---
title: The shop
id: shop-1
tags: [a, b]
---
owner:: Ada
Some prose that belongs to nobody.

# Hours
monday:: 9-17
note:: closed
  on holidays,

  and at night
rooms:: {"count": 3}
```
# no heading
no:: pair
```
## Money #
price:: 5
empty::
std::vector is a type
"""


def pairs(text: str) -> list[tuple[str, str, str]]:
    return [(section.name, pair.key, pair.value) for section in parsed(text).sections for pair in section.pairs]


@requirement("REG-11", "CON-06")
def test_text_before_the_first_heading_survives_and_fences_are_no_data() -> None:
    assert pairs(TEXT_OF) == [
        ("_front_matter", "title", "The shop"),
        ("_front_matter", "id", "shop-1"),
        ("_front_matter", "tags", '["a", "b"]'),
        ("_default", "owner", "Ada"),
        ("_default", "_text", "Some prose that belongs to nobody."),
        ("Hours", "monday", "9-17"),
        ("Hours", "note", "closed\non holidays,\n\nand at night"),
        ("Hours", "rooms", '{"count": 3}'),
        ("Hours", "_text", "```\n# no heading\nno:: pair\n```"),
        ("Money", "price", "5"),
        ("Money", "empty", ""),
        ("Money", "std", "vector is a type"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a:: 1", [("_default", "a", "1")]),
        ("---\nbad: [\n---\na:: 1", [("_default", "_text", "---\nbad: [\n---"), ("_default", "a", "1")]),
        ("---\na: &x [1]\nb: *x\n---\n", [("_default", "_text", "---\na: &x [1]\nb: *x\n---")]),
        ("---\nnever closed", [("_default", "_text", "---\nnever closed")]),
        ("~~~~\n# x\n~~~\ny:: 1", [("_default", "_text", "~~~~\n# x\n~~~\ny:: 1")]),
        ("#no heading\n####### seven", [("_default", "_text", "#no heading\n####### seven")]),
        ("# A\n# B\nx:: 1", [("B", "x", "1")]),
        ("a: b:: c", [("_default", "_text", "a: b:: c")]),
        (" a:: 1", [("_default", "_text", "a:: 1")]),
        (
            "a:: x\x0by\x0cz\x1c\x85\u2028!\rb:: 2",
            [("_default", "a", "x\x0by\x0cz\x1c\x85\u2028!"), ("_default", "b", "2")],
        ),
        ("a:: 1\r\n\r\nb:: 2\r\n", [("_default", "a", "1"), ("_default", "b", "2")]),
    ],
)
def test_odd_documents(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert pairs(text) == expected


@requirement("REG-11")
@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_no_word_of_a_document_is_lost(text: str) -> None:
    """Whatever stands there: every sign but white space, marks of headings and `::` is in some pair or name."""
    document = parsed(text)
    kept = "".join(f"{each.name}{''.join(pair.key + pair.value for pair in each.pairs)}" for each in document.sections)
    lost = set(text) - set(kept) - set("#:-") - {sign for sign in text if sign.isspace()}
    headings = {sign for line in text.splitlines() if line.startswith("#") for sign in line}
    assert {sign for sign in lost if sign.isprintable()} <= headings | set("\x1c\x1d\x1e")


def written(folder: Path, **files: str) -> SourceSpec:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_md", ".md")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return SourceSpec("markdown_kv", roots=(str(folder),))


@requirement("CON-06", "MKV-01")
def test_a_document_is_rows_of_pairs_or_one_row(tmp_path: Path) -> None:
    source = written(tmp_path, shop_md=TEXT_OF)
    rows: list[dict[str, Any]] = rows_of(read_all(source, "."))
    assert [row["ord"] for row in rows] == list(range(12))
    assert {row["doc_id"] for row in rows} == {"shop-1"}
    assert [row["value_json"] for row in rows if row["key"] in ("rooms", "price", "monday")] == [
        None,
        '{"count": 3}',
        "5",
    ]
    (row,) = rows_of(read_all(source, ".", options={"form": "document_level"}))
    assert (row["doc_id"], row["title"], row["raw_md"]) == ("shop-1", "The shop", TEXT_OF)
    assert [(each["section"], each["level"], [kv["ord"] for kv in each["kv"]]) for each in row["sections"]] == [
        ("_front_matter", 0, [0, 1]), ("_default", 0, [0, 1]), ("Hours", 1, [0, 1, 2, 3]), ("Money", 2, [0, 1, 2]),
    ]  # fmt: skip


def test_documents_of_one_name_in_two_folders_have_two_ids(tmp_path: Path) -> None:
    source = written(tmp_path, a__readme_md="x:: 1", b__readme_md="x:: 1")
    assert sorted(row["doc_id"] for row in rows_of(read_all(source, "."))) == ["a/readme", "b/readme"]
    names = ["x.md", "x.mdkv", "x.markdown", "x.md.gz", "s3://b/x/y.md"]
    assert sorted(map(document_id, names)) == ["x", "x.markdown", "x.md.gz", "x.mdkv", "x/y"]


def test_lines_are_told_and_a_document_that_is_no_text_is_refused(tmp_path: Path) -> None:
    source = written(tmp_path, shop_md=TEXT_OF)
    (batch,) = read_all(source, "shop.md")
    assert batch.positions is not None
    assert batch.positions.to_pylist()[3:7] == [6, 7, 10, 11]
    (tmp_path / "shop.md").write_bytes(b"a:: \xff\xfe")
    with pytest.raises(DataError, match="UTF-8"):
        read_all(source, "shop.md")


def test_the_columns_are_known_before_there_is_a_document(tmp_path: Path) -> None:
    source = written(tmp_path, shop_md="")
    found = opened(source).describe(stream_of("shop.md", options={"form": "document_level"}))
    assert [field.name for field in found.fields] == ["doc_id", "title", "sections", "raw_md", "extracted_at"]


@proves("memory", "markdown_kv")
@requirement("CON-06")
def test_documents_are_limited_to_what_the_memory_of_a_job_holds(tmp_path: Path) -> None:
    """A document is held as a whole, in some twenty times its size; a longer one than the limit is refused early."""
    section = f"# part\nname:: {'x' * 60}\nprice:: 1.5\n\nSome prose that goes on.\n"
    count = MEGABYTE // 2 // len(section)
    source = written(tmp_path, book_md=section * count)
    tracemalloc.start()
    before, rows, arrow = pa.total_allocated_bytes(), 0, 0
    for batch in read_all(source, "."):
        rows, arrow = rows + batch.rows, max(arrow, pa.total_allocated_bytes() - before)
    peak = tracemalloc.get_traced_memory()[1] + arrow
    tracemalloc.stop()
    assert rows == 3 * count
    assert peak < 25 * count * len(section), "so that the longest document takes less than 400 MB"
    written(tmp_path, book_md=section * (17 * MEGABYTE // len(section)))
    with pytest.raises(DataError, match="longer than 16 MB"):
        read_all(source, ".")
