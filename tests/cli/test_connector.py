"""A spec of the user's own: linted, held against the API, and run into a table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from dativo_provider.config.yamlpos import read
from tests.cli.conftest import Command
from tests.connectors.rest.fake import FakeApi, serving
from tests.connectors.rest.toy import SPEC
from tests.e2e.trial import Trial
from tests.support import requirement

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    found = FakeApi()
    with serving(found):
        yield found


@pytest.fixture
def trial(tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch) -> Trial:
    return Trial(tmp_path, dativo, monkeypatch)


def add(api: FakeApi, numbers: range, at: datetime = START) -> None:
    moment = at.isoformat().replace("+00:00", "Z")
    api.rows += [{"id": each, "name": f"n{each}", "amount": 2.5, "updated_at": moment} for each in numbers]


def job(trial: Trial, api: FakeApi, **source: Any) -> Path:
    """`connectors/toy.yaml` of the tenant, and a job that names it."""
    folder = trial.tenant / "connectors"
    folder.mkdir(exist_ok=True)
    (folder / "toy.yaml").write_text(yaml.safe_dump(SPEC))
    trial.monkeypatch.setenv("DATIVO_SECRET__ACME__TOY", api.token)
    trial.secrets.append(api.token)
    written = {
        "tenant_id": "acme",
        "source_connector": "toy",
        "source": {
            "objects": ["cursor"],
            "connection": {"base_url": api.url, "token": "${SECRET:toy}"},
            "incremental": {"strategy": "updated_at", "lag_seconds": 0},
            "rate_limits": {"rps_default": 100, "retry": {"max_retries": 2}},
        }
        | source,
        "target": {"write_mode": "merge"},
        "retry_config": {"max_retries": 0},
    }
    path = trial.tenant / "jobs" / "toy.yaml"
    path.write_text(json.dumps(written))
    return path


@requirement("CON-29", "CFG-16")
def test_a_spec_beside_the_job_is_a_connector(trial: Trial, api: FakeApi) -> None:
    add(api, range(1, 251))
    path = job(trial, api)
    assert trial.dativo("validate", path).code == 0
    first = trial.succeeds(path)
    assert first["books"]["extracted"] == 250
    add(api, range(200, 260), datetime.now(UTC))  # after the first run was planned
    second = trial.succeeds(path)
    assert second["books"]["extracted"] == 60
    counted = trial.dativo("query", "--config", path, "--json", "select count(*) n, count(distinct id) d from cursor")
    assert counted.json == [{"n": 259, "d": 259}]


def test_check_and_discover_work_with_a_spec(trial: Trial, api: FakeApi) -> None:
    path = job(trial, api)
    assert "source ok" in trial.dativo("check", "--config", path).out
    found = trial.dativo("discover", "--config", path, "--json").json
    assert "search" in {each["name"] for each in found["objects"]}


def test_lint_names_the_line(trial: Trial, api: FakeApi) -> None:
    job(trial, api)
    spec = trial.tenant / "connectors" / "toy.yaml"
    assert trial.dativo("connector", "lint", spec).code == 0
    spec.write_text(spec.read_text().replace("type: bearer", "type: beerer"))
    answer = trial.dativo("connector", "lint", spec)
    line = next(at for at, text in enumerate(spec.read_text().splitlines(), 1) if "beerer" in text)
    assert answer.code == 2
    assert f"toy.yaml:{line}:" in answer.out
    assert "Did you mean 'bearer'?" in answer.out


def test_validate_of_a_job_judges_its_spec_and_the_names_of_its_streams(trial: Trial, api: FakeApi) -> None:
    path = job(trial, api, objects=["cursr"])
    answer = trial.dativo("validate", path)
    assert answer.code == 2
    line, column = read(path).place(("source", "objects", 0))
    assert f"toy.yaml:{line}:{column}: 'toy' has no stream 'cursr'" in answer.out
    assert "Did you mean 'cursor'?" in answer.out
    spec = trial.tenant / "connectors" / "toy.yaml"
    spec.write_text(spec.read_text().replace("type: link_header", "type: lnk_header"))
    answer = trial.dativo("validate", trial.folder / "dags")
    line = next(at for at, text in enumerate(spec.read_text().splitlines(), 1) if "lnk_header" in text)
    assert f"toy.yaml:{line}:" in answer.out


def test_files_and_connectors_without_a_spec_are_told_in_one_sentence(trial: Trial, api: FakeApi) -> None:
    path = job(trial, api)
    answer = trial.dativo("connector", "lint", path)
    assert "this is no spec of an API" in answer.out
    assert "1 error" in answer.out
    trial_job = json.loads(path.read_text())
    path.write_text(json.dumps(trial_job | {"source_connector": "rest", "target": {}}))
    assert "needs the spec of an API" in trial.dativo("validate", path).out
    path.write_text(json.dumps(trial_job | {"source_connector": "shpo"}))
    assert "there is no connectors/shpo.yaml" in trial.dativo("validate", path).out


def test_a_key_that_is_no_column_is_told_before_anything_is_read(trial: Trial, api: FakeApi) -> None:
    """Without a contract nobody else knows; `replace` would publish as if it had been said right."""
    add(api, range(1, 4))
    trial.fails(job(trial, api, key=["idd"]), "ConfigurationError", "key 'idd' is not a column", "Did you mean 'id'?")
    assert not [each for each in api.asked if each.path == "/cursor"]


def test_test_says_what_does_not_fit(trial: Trial, api: FakeApi) -> None:
    add(api, range(1, 21))
    for each in api.rows:
        each["amount"] = "much"
        del each["name"]
    api.rows.append(dict(api.rows[0]))
    answer = trial.dativo("connector", "test", job(trial, api), "--object", "single")
    assert answer.code == 1
    assert "single: 21 records read" in answer.out
    assert "no record has a value for: name" in answer.out
    assert "'amount' has 21 values that are no decimal(18,4)" in answer.out
    assert "1 records repeat a key (id)" in answer.out


def test_test_is_content_with_a_spec_that_fits(trial: Trial, api: FakeApi) -> None:
    """Many APIs write amounts as text."""
    add(api, range(1, 21))
    for each in api.rows[::2]:
        each["amount"] = "12.50"
    answer = trial.dativo("connector", "test", job(trial, api), "--json")
    assert answer.code == 0
    assert answer.json[0]["rows"] == 20
    assert answer.json[0]["remarks"] == []


def test_a_refused_token_is_shown_nowhere(trial: Trial, api: FakeApi) -> None:
    path = job(trial, api)
    trial.monkeypatch.setenv("DATIVO_SECRET__ACME__TOY", "wr0ng-t0ken")
    trial.secrets.append("wr0ng-t0ken")
    trial.fails(path, "CredentialError", "401")


def test_values_of_people_are_hidden_in_every_run_not_only_the_first(trial: Trial, api: FakeApi) -> None:
    """The second run knows its columns from the table, which does not say whose they are."""
    add(api, range(7001, 7004))
    path = job(trial, api)
    spec = trial.tenant / "connectors" / "toy.yaml"
    personal = yaml.safe_load(spec.read_text())
    personal["streams"]["cursor"]["columns"] |= {"name": {"classification": "pii"}}
    spec.write_text(yaml.safe_dump(personal))
    for _ in range(2):
        answer = trial.dativo("run", "--config", path)
        add(api, range(7001, 7004), datetime.now(UTC))
        assert "•••" in answer.out
        assert "n7001" not in answer.out
