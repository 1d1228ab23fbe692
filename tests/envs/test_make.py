"""Environments appear whole or not at all, and tell when they have changed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dativo_provider.envs import make
from dativo_provider.envs.place import drift, installed, interpreter, made
from dativo_provider.errors import ConfigurationError
from tests.envs.support import a_recipe, a_wheel
from tests.support import requirement


def imported(python: Path) -> str:
    done = subprocess.run([python, "-I", "-c", "import gauge; print(gauge.WORD)"], capture_output=True, text=True)
    return done.stdout.strip()


@requirement("DQ-11")
def test_an_environment_holds_what_its_recipe_names_and_says_so(tmp_path: Path) -> None:
    recipe, envs = a_recipe(a_wheel(tmp_path / "wheels")), tmp_path / "envs"
    found = make.create(envs, recipe)
    python = interpreter(envs, "gauge")
    assert python
    assert imported(python) == "whole"
    assert found.versions["gauge"] == "1.0"
    assert made(envs, "gauge") == found
    assert drift(envs, recipe) == []


def test_without_uv_venv_and_pip_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "_uv", lambda: "")
    make.create(tmp_path / "envs", a_recipe(a_wheel(tmp_path)))
    python = interpreter(tmp_path / "envs", "gauge")
    assert python
    assert imported(python) == "whole"


def test_what_was_changed_by_hand_is_told_by_name(tmp_path: Path) -> None:
    recipe, envs = a_recipe(a_wheel(tmp_path / "wheels")), tmp_path / "envs"
    make.create(envs, recipe)
    python = interpreter(envs, "gauge")
    assert python
    [info] = (envs / "gauge").glob("lib/python*/site-packages/gauge-1.0.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gauge\nVersion: 1.1\n")
    assert drift(envs, recipe) == ["gauge was 1.0 and is 1.1"]
    assert installed(python)["versions"]["gauge"] == "1.1"


def test_an_environment_of_an_older_recipe_is_told(tmp_path: Path) -> None:
    envs = tmp_path / "envs"
    make.create(envs, a_recipe(a_wheel(tmp_path)))
    newer = a_recipe(a_wheel(tmp_path, version="2.0"))
    assert drift(envs, newer) == ["it was made by another version of Dativo"]


def test_one_that_does_not_import_leaves_the_older_one_in_place(tmp_path: Path) -> None:
    envs = tmp_path / "envs"
    before = make.create(envs, a_recipe(a_wheel(tmp_path)))
    broken = a_recipe(a_wheel(tmp_path, version="2.0", source="raise RuntimeError('no')\n"))
    with pytest.raises(ConfigurationError, match="cannot be made"):
        make.create(envs, broken)
    assert made(envs, "gauge") == before
    assert len(list(envs.glob(".gauge-*"))) == 1


def test_a_new_one_takes_the_place_of_the_old_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    envs = tmp_path / "envs"
    make.create(envs, a_recipe(a_wheel(tmp_path)))
    make.create(envs, a_recipe(a_wheel(tmp_path, version="2.0", source="WORD = 'newer'\n")))
    python = interpreter(envs, "gauge")
    assert python
    assert imported(python) == "newer"
    assert len(list(envs.glob(".gauge-*"))) == 1
    assert make.remove(envs, "gauge")
    assert interpreter(envs, "gauge") is None
    assert not list(envs.glob(".gauge-*"))
    assert not make.remove(envs, "gauge")


def test_one_killed_half_way_is_nowhere_and_is_swept_by_the_next(tmp_path: Path) -> None:
    envs, ready = tmp_path / "envs", tmp_path / "ready"
    slow = f"import time, pathlib; pathlib.Path({str(ready)!r}).touch(); time.sleep(60)\n"
    wheel = a_wheel(tmp_path, version="2.0", source=slow)
    program = (
        "import sys; from pathlib import Path; from dativo_provider.envs import make\n"
        "from dativo_provider.envs.recipe import Recipe\n"
        f"make.create(Path({str(envs)!r}), Recipe('gauge', 'Gauge', ({str(wheel)!r},), ('gauge',)))"
    )
    maker = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    deadline = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(maker.pid, signal.SIGKILL)
    maker.wait()
    assert list(envs.glob(".gauge-*")), "it was killed before it had begun"
    assert interpreter(envs, "gauge") is None
    make.create(envs, a_recipe(a_wheel(tmp_path)))
    assert interpreter(envs, "gauge")
    assert len(list(envs.glob(".gauge-*"))) == 1


def test_pins_that_disagree_are_refused_in_the_installers_words(tmp_path: Path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("gauge==3.0\n")
    with pytest.raises(ConfigurationError, match="gauge"):
        make.create(tmp_path / "envs", a_recipe(a_wheel(tmp_path)), pins)
    with pytest.raises(ConfigurationError, match="no such file"):
        make.create(tmp_path / "envs", a_recipe(a_wheel(tmp_path)), tmp_path / "none.txt")
