"""What a disk can do to us."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, StorageUnavailable
from dativo_provider.files import file_uri, join, open_files

pytestmark = pytest.mark.one_set  # the standard library alone


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (errno.ENOSPC, StorageUnavailable, "free space"),
        (errno.EDQUOT, StorageUnavailable, "free space"),
        (errno.EIO, StorageUnavailable, "check the disk"),
        (errno.EACCES, CredentialError, "right"),
        (errno.EROFS, ConfigurationError, "writable"),
    ],
)
def test_a_failing_disk_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[DativoError], says: str
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    uri = file_uri(tmp_path / "x")
    with pytest.raises(kind) as caught:
        open_files(uri).write(uri, b"1")
    assert says in str(caught.value)
    assert uri in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_half_written_file_is_never_listed(tmp_path: Path) -> None:
    (tmp_path / ".dativo-tmp-abc").write_bytes(b"half")
    assert open_files(file_uri(tmp_path)).list(file_uri(tmp_path)) == []


def test_a_disk_without_hard_links_is_refused_rather_than_raced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    uri = file_uri(tmp_path / "x")
    with pytest.raises(ConfigurationError, match="hard links"):
        open_files(uri).write_new(uri, b"1")


def test_files_follow_the_umask_like_any_other(tmp_path: Path) -> None:
    uri = join(file_uri(tmp_path), "x")
    before = os.umask(0o027)
    try:
        open_files(uri).write(uri, b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640
