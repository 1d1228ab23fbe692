"""URIs keep their scheme and their spelling."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.errors import ConfigurationError, Unsupported
from dativo_provider.files import canonical, file_uri, join, local_path, open_files, parent, relative, scheme

pytestmark = pytest.mark.one_set  # words about paths

NAMES = st.text(st.characters(exclude_characters="/?#%\x00", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name.strip(".") != ""
)


@given(st.lists(NAMES, min_size=1))
def test_a_path_survives_the_round_trip(names: list[str]) -> None:
    path = Path("/", *names)
    assert local_path(file_uri(path)) == path


@given(NAMES, NAMES)
def test_join_relative_and_parent_are_inverse(base: str, name: str) -> None:
    whole = join(f"s3://bucket/{base}", name)
    assert relative(whole, f"s3://bucket/{base}") == name
    assert parent(whole) == f"s3://bucket/{base}"


@pytest.mark.parametrize("uri", ["file:/a/b", "file:///a/b", "file://localhost/a/b"])
def test_every_spelling_of_a_local_uri_is_one_path(uri: str) -> None:
    assert local_path(uri) == Path("/a/b")


def test_join_leaves_one_slash() -> None:
    assert join("s3://b/", "/a/", "", "c") == "s3://b/a/c"


@pytest.mark.parametrize("bad", ["/plain/path", "://x", "relative"])
def test_a_path_without_scheme_is_refused(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="scheme"):
        scheme(bad)


@pytest.mark.parametrize("name", ["a#b", "a?b", "50%"])
def test_characters_that_other_engines_cut_at_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="other engines"):
        file_uri(f"/data/{name}")


def test_relative_refuses_what_is_outside() -> None:
    with pytest.raises(ConfigurationError):
        relative("s3://b/other/x", "s3://b/oth")


def test_an_unknown_scheme_names_the_known_ones() -> None:
    with pytest.raises(Unsupported, match="s3://"):
        open_files("ftp://host/x")


def test_a_remote_uri_is_no_local_path() -> None:
    with pytest.raises(ConfigurationError):
        local_path("s3://b/x")


def test_one_file_has_one_spelling() -> None:
    assert canonical("file:/a/b") == canonical("file://localhost/a/b") == "file:///a/b"
    assert canonical("s3a://b/k") == canonical("s3n://b/k") == "s3://b/k"
    assert canonical("s3://b/k") != canonical("file:///b/k")
