"""Temporary folders: in use they stay, left behind they go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from dativo_provider.files.temporary import TemporaryFolder

pytestmark = pytest.mark.one_set  # the standard library alone

DIES = """
import os, signal
from dativo_provider.files.temporary import TemporaryFolder
folder = TemporaryFolder("partitions")
with open(folder.name + "/rows", "wb") as file:
    file.write(bytes(1000))
print(folder.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def aged(folder: Path) -> Path:
    an_hour_ago = time.time() - 3600
    os.utime(folder, (an_hour_ago, an_hour_ago))
    return folder


def left_by_a_killed_process() -> Path:
    died = subprocess.run([sys.executable, "-c", DIES], stdout=subprocess.PIPE, text=True, check=False)
    assert died.returncode == -signal.SIGKILL
    return Path(died.stdout.strip())


def test_what_a_killed_process_left_goes_when_the_next_folder_is_made() -> None:
    left = left_by_a_killed_process()
    assert (left / "rows").exists()
    TemporaryFolder("seen").cleanup()
    assert left.exists(), "it is too young to tell whether its owner has locked it yet"
    aged(left)
    TemporaryFolder("seen").cleanup()
    assert not left.exists()


def test_a_folder_in_use_stays_however_old_it_is() -> None:
    used = TemporaryFolder("publish")
    aged(Path(used.name))
    TemporaryFolder("publish").cleanup()
    assert Path(used.name).exists()
    used.cleanup()
    used.cleanup()
    assert not Path(used.name).exists()


def test_nothing_else_is_touched(place: Path) -> None:
    """Neither what others have put there nor what a link leads to."""
    (other := place / "dativo-of-somebody").mkdir()
    (target := left_by_a_killed_process()).rename(elsewhere := place / "elsewhere")
    target.symlink_to(elsewhere)
    for each in (other, elsewhere):
        aged(each)
    TemporaryFolder("seen").cleanup()
    assert (other.exists(), target.is_symlink(), (elsewhere / "rows").exists()) == (True, True, True)


def test_a_with_statement_gives_the_name_and_deletes_it_whatever_happens() -> None:
    names: list[str] = []

    def fails() -> None:
        with TemporaryFolder("seen") as name:
            names.append(name)
            Path(name, "rows").touch()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert [Path(name).exists() for name in names] == [False]


def test_where_tmpdir_may_not_be_looked_into_folders_are_made_all_the_same(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: str) -> None:
        raise PermissionError("a hardened /tmp: drwx-wx-wt")

    monkeypatch.setattr(os, "scandir", refused)
    with TemporaryFolder("seen") as name:
        assert Path(name).is_dir()
