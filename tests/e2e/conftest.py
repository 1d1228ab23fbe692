"""The command line in this process, and a trial tenant to fail with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command, dativo, own_logs
from tests.e2e.trial import Trial

__all__ = ["dativo", "own_logs", "trial"]


@pytest.fixture
def trial(tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch) -> Trial:
    return Trial(tmp_path, dativo, monkeypatch)
