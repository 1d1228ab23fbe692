from __future__ import annotations

import os
from pathlib import Path

import pytest

from dativo_provider.connectors.csv.paths import Roots
from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, Unsupported
from tests.support import requirement


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """root/{a.csv, b,c.csv, .hidden.csv, notes.md, x/{a.csv.gz, y/deep.tsv}}, and secret.csv beside the root."""
    root = tmp_path / "root"
    for name in ("a.csv", "b,c.csv", ".hidden.csv", "notes.md", "x/a.csv.gz", "x/y/deep.tsv", ".git/k.csv"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("n\n1\n")
    (tmp_path / "secret.csv").write_text("n\n1\n")
    return root


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("a.csv", ["a.csv"]),
        ("./a.csv", ["a.csv"]),
        ("*.csv", ["a.csv", "b,c.csv"]),
        ("b,c.csv", ["b,c.csv"]),
        ("a.csv, x/*.gz", ["a.csv", "x/a.csv.gz"]),
        ("a.csv,*.csv", ["a.csv", "b,c.csv"]),
        ("**/*.csv*", ["a.csv", "b,c.csv", "x/a.csv.gz"]),
        ("**", ["a.csv", "b,c.csv", "notes.md", "x/a.csv.gz", "x/y/deep.tsv"]),
        ("x/**/deep.*", ["x/y/deep.tsv"]),
        ("x", ["x/a.csv.gz", "x/y/deep.tsv"]),
        (".", ["a.csv", "b,c.csv", "x/a.csv.gz", "x/y/deep.tsv"]),
        (".*.csv", [".hidden.csv"]),
        ("[ab].csv", ["a.csv"]),
        ("?/y/*", ["x/y/deep.tsv"]),
        ("nothing-*.csv", []),
        ("no/such/*.csv", []),
    ],
)
def test_paths_folders_and_patterns(root: Path, wanted: str, names: list[str]) -> None:
    assert [found.path for found in Roots([str(root)]).find(wanted)] == names


def test_absolute_paths_and_file_uris_below_a_root_are_the_same_files(root: Path) -> None:
    roots = Roots([root.as_uri()])
    for wanted in (str(root / "a.csv"), (root / "a.csv").as_uri()):
        assert [found.path for found in roots.find(wanted)] == ["a.csv"]
    assert roots.locate("a.csv") == root / "a.csv"


def test_a_file_of_another_root_keeps_its_whole_path(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "o.csv").write_text("n\n1\n")
    roots = Roots([str(root), str(other)])
    assert [found.path for found in roots.find(f"{other}/*.csv,a.csv")] == [str(other / "o.csv"), "a.csv"]
    assert roots.locate(str(other / "o.csv")) == other / "o.csv"


def test_a_root_may_be_a_symbolic_link(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    roots = Roots([str(link)])
    assert [found.path for found in roots.find("a.csv")] == ["a.csv"]
    assert [found.path for found in roots.find(str(link / "a.csv"))] == ["a.csv"]


@requirement("TEN-03")
@pytest.mark.parametrize(
    "wanted",
    [
        "../secret.csv",
        "x/../../secret.csv",
        "../*.csv",
        "/etc/passwd",
        "file:///etc/passwd",
        "/etc/*",
        "a.csv,../secret.csv",
    ],
)
def test_nothing_outside_the_roots_is_read(root: Path, wanted: str) -> None:
    with pytest.raises(ConfigurationError, match="leaves the folders") as caught:
        Roots([str(root)]).find(wanted)
    assert "roots" in caught.value.remedy


@requirement("TEN-03")
@pytest.mark.parametrize("wanted", ["evil.csv", "ev*.csv", "out/secret.csv", "out/*.csv", "o*/*.csv", "x/**/evil.csv"])
def test_symbolic_links_do_not_lead_out(root: Path, tmp_path: Path, wanted: str) -> None:
    (root / "evil.csv").symlink_to(tmp_path / "secret.csv")
    (root / "x" / "evil.csv").symlink_to(tmp_path / "secret.csv")
    (root / "out").symlink_to(tmp_path)
    with pytest.raises(ConfigurationError, match="leaves the folders"):
        Roots([str(root)]).find(wanted)
    with pytest.raises(ConfigurationError, match="leaves the folders"):
        Roots([str(root)]).locate("evil.csv")


def test_links_inside_the_roots_are_followed_but_never_round_in_circles(root: Path) -> None:
    (root / "again.csv").symlink_to(root / "a.csv")
    (root / "x" / "loop").symlink_to(root)
    found = [each.path for each in Roots([str(root)]).find("**/*.csv")]
    assert found == ["a.csv", "again.csv", "b,c.csv"]
    assert [each.path for each in Roots([str(root)]).find("x/loop/a.csv")] == ["x/loop/a.csv"]


@pytest.mark.parametrize(
    ("wanted", "error"),
    [("missing.csv", ConfigurationError), ("s3://bucket/*.csv", Unsupported), ("a\0.csv", ConfigurationError)],
)
def test_what_cannot_be_read_is_said(root: Path, wanted: str, error: type[DativoError]) -> None:
    with pytest.raises(error) as caught:
        Roots([str(root)]).find(wanted)
    assert str(caught.value)


def test_a_job_without_any_folder_reads_nothing() -> None:
    with pytest.raises(ConfigurationError, match="no folder"):
        Roots([])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_without_rights_is_a_matter_of_rights(root: Path) -> None:
    (root / "x").chmod(0)
    try:
        with pytest.raises(CredentialError):
            Roots([str(root)]).find("x/*.csv")
    finally:
        (root / "x").chmod(0o755)


def test_only_regular_files_are_files(root: Path) -> None:
    os.mkfifo(root / "pipe.csv")
    assert "pipe.csv" not in [found.path for found in Roots([str(root)]).find("*.csv")]
    with pytest.raises(ConfigurationError, match="no file"):
        Roots([str(root)]).find("pipe.csv")
