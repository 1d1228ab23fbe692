"""GitHub into Iceberg, by the example jobs of its page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import pytest
import yaml

from tests.connectors.rest.fake import serving
from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.github import GitHub
from tests.e2e.trial import Trial
from tests.support import requirement

EXAMPLES = Path(__file__).parents[2] / "examples" / "connectors" / "github" / "tenants" / "acme" / "jobs"


@pytest.fixture
def github() -> Iterator[GitHub]:
    made = GitHub(Clock(datetime.now(UTC) - timedelta(hours=2)))
    with serving(made):
        yield made


def example(trial: Trial, github: GitHub, name: str, **connection: Any) -> Path:
    """The example job, at the fake's address."""
    trial.monkeypatch.setenv("DATIVO_SECRET__ACME__GITHUB", github.credentials["token"])
    trial.secrets.append(github.credentials["token"])
    job = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text())
    job["source"]["connection"] = {**job["source"]["connection"], "base_url": github.url, **connection}
    job["source"]["connection"] = {key: each for key, each in job["source"]["connection"].items() if each is not None}
    path = trial.tenant / "jobs" / f"{name}.yaml"
    path.write_text(yaml.safe_dump(job))
    return path


def rows(trial: Trial, job: Path, query: str) -> Any:
    return trial.dativo("query", "--config", job, "--json", query).json


@requirement("CON-16")
def test_files_of_a_repository_stay_as_its_branch_has_them(trial: Trial, github: GitHub) -> None:
    job = example(trial, github, "files", token="${SECRET:github}", app_id=None, private_key=None)
    github.push({"README.md": b"# Shop", "src/a.py": b"a = 1", "logo.png": b"\0", "src/old.py": b"old"})
    assert trial.dativo("validate", job).code == 0
    trial.succeeds(job)
    github.push({"README.md": b"# Shop", "src/a.py": b"a = 2", "logo.png": b"\0"})
    trial.succeeds(job)
    found = rows(trial, job, "select path, content from file_contents order by path")
    assert found == [{"path": "README.md", "content": "# Shop"}, {"path": "src/a.py", "content": "a = 2"}]


@requirement("CON-16", "REG-07")
def test_issues_are_merged_as_they_change(trial: Trial, github: GitHub) -> None:
    job = example(trial, github, "repository")
    said = yaml.safe_load(job.read_text())
    job.write_text(yaml.safe_dump(said | {"source": said["source"] | {"objects": ["issues"]}}))
    issues = github.add("issues", 120)
    assert trial.succeeds(job)["books"]["extracted"] == 120
    github.clock.forward(minutes=90)
    github.touch("issues", issues[:2])
    sleep(1)  # windows end on whole seconds: within the same one there is nothing to read
    assert trial.succeeds(job)["books"]["extracted"] == 2
    counted = rows(
        trial, job, "select count(*) n, count(distinct id) d, max(updated_at) > min(updated_at) m from issues"
    )
    assert counted == [{"n": 120, "d": 120, "m": True}]
