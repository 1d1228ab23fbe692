"""What one worker of `--dist loadfile` runs in a row: a file; or a folder whose files share a server slow to start."""

from __future__ import annotations

from typing import Any

import pytest

TOGETHER = ("tests/lake/readback/",)  # Spark


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), super()._split_scope(nodeid))

    return Together(config, log)
