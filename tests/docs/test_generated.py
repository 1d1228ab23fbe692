from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.pages import ROOT
from tests.support import requirement


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@requirement("DOC-01")
def test_generated_pages_say_what_the_code_says(generate: ModuleType) -> None:
    assert generate.stale() == [], "run `python docs/generate.py` and commit what it changes"


def test_every_error_has_advice(generate: ModuleType) -> None:
    advice = generate.advice()
    assert [kind.__name__ for kind in generate.error_classes() if kind.__name__ not in advice] == []


def test_the_command_reports_and_repairs_a_stale_page(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 1
    assert "docs/reference/errors.md is stale" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["generate.py"])
    assert generate.main() == 0
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check"])
    assert generate.main() == 0


def test_the_command_runs_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], cwd=tmp_path, check=False)
    assert done.returncode == 0
