"""A mapping kept as a log of segments is that mapping, and a run writes little more than what it changed."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.files import FileStore, file_uri, open_files
from dativo_provider.lake.segments import Named, append, entries, segment_uri
from tests.support import requirement

pytestmark = pytest.mark.one_set  # JSON in files: no library of tables takes part

VERSIONS = st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.integers() | st.none(), max_size=8), max_size=12)


@given(versions=VERSIONS)
@hypothesis.settings(max_examples=60, deadline=None)
def test_every_version_of_a_mapping_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, versions: list[dict[str, int | None]]
) -> None:
    at, files = _place(tmp_path_factory.mktemp("segments"))
    named: list[Named] = []
    written = []
    for number, version in enumerate(versions):
        named = append(at, named, version, f"p{number}", files)
        written.append((version, named))
    for version, names in written:
        assert entries(at, names, files) == version, "later runs leave the files of earlier versions alone"


@requirement("STA-09")
def test_a_thousand_runs_write_little_more_than_what_each_has_changed(tmp_path: Path) -> None:
    at, files = _place(tmp_path)
    named: list[Named] = []
    known: dict[str, int] = {}
    for number in range(1000):
        known[f"file-{number}"] = number
        named = append(at, named, known, f"p{number}", files)
    segments = [json.loads(path.read_text()) for path in tmp_path.iterdir()]
    assert entries(at, named, files) == known
    assert len(named) <= 10
    assert len(segments) == 1000
    assert sum(len(segment["put"]) for segment in segments) <= 1000 * 11


def test_what_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    at, files = _place(tmp_path)
    first = append(at, [], {"a": 1}, "p1", files)
    assert append(at, first, {"a": 1}, "p2", files) == first
    assert len(list(tmp_path.iterdir())) == 1


@requirement("STA-09")
@pytest.mark.parametrize("harm", ["changed", "gone", "empty"])
def test_a_segment_that_is_not_what_was_written_is_an_error(tmp_path: Path, harm: str) -> None:
    at, files = _place(tmp_path)
    [(name, count)] = append(at, [], {"a": 1}, "p1", files)
    uri = segment_uri(at, name)
    if harm == "gone":
        files.delete(uri)
    else:
        files.write(uri, b'{"put": {"a": 2}, "drop": []}' if harm == "changed" else b"")
    with pytest.raises((ValueError, FileNotFoundError)):
        entries(at, [[name, count]], files)


def _place(folder: Path) -> tuple[str, FileStore]:
    uri = file_uri(folder)
    return f"{uri}/dativo-state-", open_files(uri)
