"""GitHub into Iceberg, by the example jobs of its page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tests.connectors.rest.fake import serving
from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.github import GitHub
from tests.e2e.trial import Trial
from tests.support import requirement


@pytest.fixture
def github() -> Iterator[GitHub]:
    made = GitHub(Clock(datetime.now(UTC) - timedelta(hours=2)))
    with serving(made):
        yield made


def example(trial: Trial, github: GitHub, name: str, objects: list[str] | None = None, **connection: Any) -> Path:
    trial.secret("github", github.credentials["token"])
    more = {"objects": objects} if objects else {}
    return trial.example("github", name, {"base_url": github.url, **connection}, **more)


@requirement("CON-16")
def test_files_of_a_repository_stay_as_its_branch_has_them(trial: Trial, github: GitHub) -> None:
    job = example(trial, github, "files", token="${SECRET:github}", app_id=None, private_key=None)
    github.push({"README.md": b"# Shop", "src/a.py": b"a = 1", "logo.png": b"\0", "src/old.py": b"old"})
    assert trial.dativo("validate", job).code == 0
    trial.succeeds(job)
    github.push({"README.md": b"# Shop", "src/a.py": b"a = 2", "logo.png": b"\0"})
    trial.succeeds(job)
    found = trial.rows(job, "select path, content from file_contents order by path")
    assert found == [{"path": "README.md", "content": "# Shop"}, {"path": "src/a.py", "content": "a = 2"}]


@requirement("CON-16", "REG-07")
def test_issues_are_merged_as_they_change(trial: Trial, github: GitHub) -> None:
    job = example(trial, github, "repository", ["issues"])
    issues = github.add("issues", 120)
    assert trial.succeeds(job)["books"]["extracted"] == 120
    github.clock.forward(minutes=90)
    github.touch("issues", issues[:2])
    sleep(1)  # windows end on whole seconds: within the same one there is nothing to read
    assert trial.succeeds(job)["books"]["extracted"] == 2
    counted = trial.rows(
        job, "select count(*) n, count(distinct id) d, max(updated_at) > min(updated_at) m from issues"
    )
    assert counted == [{"n": 120, "d": 120, "m": True}]
