from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dativo_provider.config import yamlguard, yamlpos, yamltypes
from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.yamlpos import parse, read, without_nulls
from tests.config.support import only, place, refused
from tests.support import requirement

TEXTS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\x85\u2028\u2029\ufeff\ufffe\uffff"
    )
)


def _not_like_a_number(text: str) -> bool:
    """PyYAML writes `1e5`, which is text to it (YAML 1.1) and a number to 1.2, without quotes."""
    return not text[:1] or text[0] not in "+-.0123456789"


WORDS = TEXTS.filter(_not_like_a_number)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), WORDS, st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2020-01-31", "2020-01-31"), ("12:30", "12:30"), ("0123", "0123"), ("NO", "NO"), ("yes", "yes"),
        ("1_000", "1_000"), ("5e9999", "5e9999"), ("9" * 500, "9" * 500), (".", "."), ("-x", "-x"), ("'5'", "5"),
        ("true", True), ("False", False), ("null", None), ("~", None), ("5", 5), ("-5", -5), ("+7", 7), ("0x1F", 31),
        ("0o17", 15), ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), (".inf", float("inf")),
        ("!!str 5", "5"), ("!!int 5", 5), ("!!float 3", 3.0), ("!!float 0x10", 16.0), ("!!float .5", 0.5),
    ],
)  # fmt: skip
def test_scalars_are_what_yaml_1_2_says_and_never_a_date(text: str, value: object) -> None:
    assert parse(f"a: {text}").data == {"a": value}


def test_keys_are_always_text() -> None:
    assert parse("on: 1\n5: 2\nnull: 3\ntrue: 4").data == {"on": 1, "5": 2, "null": 3, "true": 4}


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(TEXTS, VALUES, max_size=5))
def test_what_json_says_is_read_the_same(data: dict[str, object]) -> None:
    assert parse(json.dumps(data, ensure_ascii=False)).data == data


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(WORDS, VALUES, min_size=1, max_size=5))
def test_what_pyyaml_writes_is_read_back(data: dict[str, object]) -> None:
    assert parse(yaml.safe_dump(data, allow_unicode=True)).data == data


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_read_or_refused_at_a_place(content: bytes | str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        assert isinstance(parse(content).data, dict)
    except InvalidConfig as invalid:
        problems = invalid.problems
    assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in problems)


def test_every_key_path_has_its_place() -> None:
    doc = parse("a: 1\nb:\n  - c: 2\n    d: [x, yy]\n  - e\n", "f.yaml")
    assert doc.place(("a",)) == (1, 1)
    assert doc.place(("a",), value=True) == (1, 4)
    assert doc.place(("b", 0, "d")) == (4, 5)
    assert doc.place(("b", 0, "d", 1)) == (4, 12)
    assert doc.place(("b", 1)) == (5, 5)
    assert doc.where(("b", 0, "c")) == "f.yaml:3:5"


def test_a_path_that_leads_nowhere_gives_the_deepest_part_there_is() -> None:
    doc = parse("a:\n  b: 1\n")
    assert doc.place(("a", "x", "y")) == (1, 1)
    assert doc.place(("q",)) == (1, 1)
    assert doc.depth(("a", "x", "y")) == 1


def test_merge_keys_are_followed_and_own_keys_win() -> None:
    doc = parse("base: &b {x: 1, y: 2}\nother: &o {z: 3}\njob:\n  <<: [*b, *o]\n  y: 5\n")
    assert doc.data["job"] == {"y": 5, "x": 1, "z": 3}
    assert doc.place(("job", "y")) == (5, 3)
    assert doc.place(("job", "x")) == (1, 11)


def test_a_number_can_be_had_as_it_was_written() -> None:
    doc = parse("version: 1.10\nempty:\n")
    assert doc.data["version"] == 1.1
    assert doc.raw("version") == "1.10"
    assert doc.raw("empty") == doc.raw("missing") == ""


def test_every_key_that_stands_twice_is_reported() -> None:
    found = refused(parse, "a: 1\nb: {c: 1, c: 2}\na: 2\n", "f.yaml")
    assert [str(problem) for problem in found] == [
        "f.yaml:2:11: 'c' stands twice in this mapping (first in line 2). Keep one of the two",
        "f.yaml:3:1: 'a' stands twice in this mapping (first in line 1). Keep one of the two",
    ]


@pytest.mark.parametrize(
    ("content", "message", "where"),
    [
        (b"a: 1\nb: \xff\n", "not UTF-8", (2, 4)),
        ("a:\n\tb: 1\n", "a tab is used", (2, 1)),
        ("a:\n  b: 1\n\tc: 2\n", "a tab is used", (3, 1)),
        ("", "the file is empty", (1, 1)),
        ("# nothing\n", "the file is empty", (1, 1)),
        ("null", "the file is empty", (1, 1)),
        ("- a\n- b\n", "is a list", (1, 1)),
        ("just words", "is a single value", (1, 1)),
        ("a: 1\n---\nb: 2\n", "several documents", (2, 1)),
        ("a: b: c", "a colon is not allowed", (1, 5)),
        ("a: [1, 2", "not valid YAML", (2, 1)),
        ('a: "open', "not closed", (1, 9)),
        ("a: *nobody", "an alias refers", (1, 4)),
        ("a: 1\nb\n", "a key without a colon", (3, 1)),
        ("a: 1\x07", "control character", (1, 5)),
        ("a: \ud800", "lone surrogate", (1, 4)),
        ("? [a, b]\n: 1", "a key must be text", (1, 3)),
        ("a: !mine x", "cannot be read as '!mine'", (1, 4)),
        ("a: !!binary aGk=", "cannot be read as '!!binary'", (1, 4)),
        ("a: !!python/name:os.system x", "cannot be read as", (1, 4)),
        ("a: !!int x", "cannot be read as '!!int'", (1, 4)),
        ("a: !!bool 1", "cannot be read as '!!bool'", (1, 4)),
        ("a: !!null 1", "cannot be read as '!!null'", (1, 4)),
        ("a: !!set {x}", "the tag '!!set' is not supported", (1, 4)),
        ('a: "x\\0y"', "a NUL character", (1, 4)),
        ("a: {<<: 5}", "merges mappings only", (1, 9)),
    ],
)
def test_what_is_no_good_yaml_is_an_error_at_its_place(
    content: bytes | str, message: str, where: tuple[int, int]
) -> None:
    found = only(list(refused(parse, content)))
    assert message in found.message
    assert place(found) == where


def test_a_file_that_is_not_there_or_too_large_is_an_error(tmp_path: Path) -> None:
    assert "cannot be read" in only(list(refused(read, tmp_path / "no.yaml"))).message
    assert "cannot be read" in only(list(refused(read, tmp_path))).message
    big = tmp_path / "big.yaml"
    big.write_bytes(b"# " + b"x" * yamlguard.MAX_BYTES)
    assert "larger than 4 MB" in only(list(refused(read, big))).message


def test_a_byte_order_mark_is_left_out() -> None:
    assert parse(b"\xef\xbb\xbfa: 1").data == {"a": 1}


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)


@requirement("TEN-03")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 300_000, "nested more than"),
        ("a: " + "{a: " * 60_000, "nested more than"),
        ("- " * 100_000, "nested more than"),
        ("a: " + "[" * 60 + "]" * 60, "nested more than"),
        ("a: &a [*a]", "contains itself"),
        ("a: &a\n  <<: *a\n", "contains itself"),
        (BOMB, "aliases expand"),
    ],
)
def test_a_hostile_file_is_an_error_and_not_a_crash(content: str, message: str) -> None:
    """In a process of its own: libyaml's composer would end it."""
    program = (
        "import sys\n"
        "from dativo_provider.config.yamlpos import InvalidConfig, parse\n"
        "try: parse(sys.stdin.buffer.read())\n"
        "except InvalidConfig as invalid: print(invalid)"
    )
    ran = subprocess.run([sys.executable, "-c", program], input=content.encode(), capture_output=True, check=True)
    assert message in ran.stdout.decode()


def test_brackets_inside_text_are_not_depth() -> None:
    text = "a:\n" + "".join(f"  - '[[[{n}'\n" for n in range(100))
    assert len(parse(text).data["a"]) == 100


def test_aliases_that_stay_small_are_fine() -> None:
    assert parse("a: &a [1, 2]\nb: *a\nc: [*a, *a]").data["c"] == [[1, 2], [1, 2]]


def test_it_works_without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(yaml.SafeLoader):
        resolve = yamltypes.Loader.resolve

    for module in (yamlpos, yamlguard):
        monkeypatch.setattr(module, "Loader", Slow)
    doc = parse("a: 1\nb: [x, {c: NO}]\n")
    assert doc.data == {"a": 1, "b": ["x", {"c": "NO"}]}
    assert doc.place(("b", 1, "c")) == (2, 9)
    assert "a tab is used" in only(list(refused(parse, "a:\n\tb: 1"))).message
    assert "control character" in only(list(refused(parse, "a: \x00"))).message


def test_a_key_without_a_value_counts_as_absent() -> None:
    assert without_nulls({"a": None, "b": {"c": None, "d": 1}, "e": [None]}) == {"b": {"d": 1}, "e": [None]}
