from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from dativo_provider.config import RunnerSpec, load_runner
from dativo_provider.model.job import ScheduleSpec
from tests.config.support import only, place, refused
from tests.support import requirement

# The shape of the product's own file, wrapper included.
RUNNER = """\
runner:
  mode: orchestrated
  orchestrator:
    type: airflow
    schedules:
      - name: customers_hourly
        config: /app/jobs/acme/customers.yaml
        cron: "0 * * * *"
        enabled: true
        timezone: "UTC"
        max_concurrent_runs: 2
        tags: {environment: "production", priority: "high"}
      - name: contacts
        config: tenants/acme/jobs/contacts.yaml
        interval_seconds: 21600
        enabled: false
        timezone: "America/New_York"
    concurrency_per_tenant: 3
    dag_output_path: /dags
"""


def write(folder: Path, text: str, name: str = "runner.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return path


def without_wrapper() -> str:
    return dedent("\n".join(line[2:] for line in RUNNER.splitlines()[1:]))


@requirement("ORC-01", "ORC-02", "ORC-03", "ORC-04", "ORC-05", "ORC-06")
@pytest.mark.parametrize("text", [RUNNER, without_wrapper()])
def test_both_forms_give_the_same_schedules(tmp_path: Path, text: str) -> None:
    found = load_runner(write(tmp_path, text))
    assert found.concurrency_per_tenant == 3
    first, second = found.schedules
    assert first.schedule == ScheduleSpec(
        "0 * * * *", 0, True, "UTC", 2, {"environment": "production", "priority": "high"}
    )
    assert second.schedule == ScheduleSpec("", 21600, False, "America/New_York")


@requirement("REG-04", "ORC-01")
def test_every_job_gets_its_own_schedule(tmp_path: Path) -> None:
    found = load_runner(write(tmp_path, RUNNER))
    hourly = found.schedule_for(tmp_path / "tenants/acme/jobs/customers.yaml")
    contacts = found.schedule_for(str(tmp_path / "tenants/acme/jobs/contacts.yaml"))
    assert hourly is not None
    assert contacts is not None
    assert (hourly.cron, contacts.interval_seconds) == ("0 * * * *", 21600)
    assert found.schedule_for(tmp_path / "tenants/globex/jobs/customers.yaml") is None
    assert found.schedule_for(tmp_path / "tenants/acme/jobs/other.yaml") is None


def test_the_short_form_without_an_orchestrator(tmp_path: Path) -> None:
    found = load_runner(write(tmp_path, """\
        schedules: [{name: a, config: a.yaml, cron: "@daily"}]
        concurrency_per_tenant: 7
        environment: prod
        """))  # fmt: skip
    assert (found.schedules[0].schedule.cron, found.concurrency_per_tenant, found.environment) == ("@daily", 7, "prod")


def test_a_folder_is_searched_and_may_have_none(tmp_path: Path) -> None:
    assert load_runner(tmp_path) == RunnerSpec()
    write(tmp_path, RUNNER, "configs/runner.yaml")
    assert len(load_runner(tmp_path).schedules) == 2
    assert "cannot be read" in only(list(refused(load_runner, tmp_path / "no.yaml"))).message


@pytest.mark.parametrize(
    ("old", "new", "said", "where"),
    [
        (
            'cron: "0 * * * *"',
            'cron: "0 * * * *"\n        interval_seconds: 5',
            "both cron and interval_seconds",
            (9, 27),
        ),
        ('        cron: "0 * * * *"\n', "", "has neither cron nor interval_seconds", (6, 9)),
        ('"0 * * * *"', "hourly", "has 1 fields", (8, 15)),
        ("America/New_York", "America/NewYork", "is not a time zone", (17, 19)),
        ("interval_seconds: 21600", "interval_seconds: 0", "must be greater than or equal to 1", (15, 27)),
        ("max_concurrent_runs: 2", "max_concurrent_runs: many", "must be a whole number", (11, 30)),
        ("name: contacts", "name: customers_hourly", "two schedules have the name", (13, 15)),
        ("tenants/acme/jobs/contacts.yaml", "/app/jobs/acme/customers.yaml", "two schedules have the config", (14, 17)),
        ("type: airflow", "type: cron", "'type' cannot be 'cron'", (4, 11)),
        ("enabled: false", "enabeld: false", "'enabeld' is not a key", (16, 9)),
        ("schedules:", "schedule:", "'schedule' is not a key of runner.orchestrator", (5, 5)),
    ],
)
def test_mistakes_are_said_at_their_place(
    tmp_path: Path, old: str, new: str, said: str, where: tuple[int, int]
) -> None:
    assert old in RUNNER
    found = only(list(refused(load_runner, write(tmp_path, RUNNER.replace(old, new)))))
    assert said in found.message
    assert place(found) == where


def test_schedules_in_two_places_are_refused(tmp_path: Path) -> None:
    text = RUNNER + "  schedules: [{name: x, config: y, cron: '@daily'}]\n"
    assert "schedules stand here and in orchestrator" in only(list(refused(load_runner, write(tmp_path, text)))).message


def test_another_orchestrator_is_a_warning(tmp_path: Path) -> None:
    assert (
        "Airflow runs these schedules" in load_runner(write(tmp_path, RUNNER.replace("airflow", "dagster"))).warnings[0]
    )


def test_older_names_of_secret_providers(tmp_path: Path) -> None:
    found = load_runner(write(tmp_path, "runner: {secrets: {type: hashicorp, vault: {url: x}}}\n"))
    assert (found.secrets.provider, found.secrets.options) == ("vault", {"url": "x"})
    text = "runner: {secrets: {provider: aws, type: gcp}}\n"
    assert "both provider and type" in only(list(refused(load_runner, write(tmp_path, text)))).message
    text = "runner: {secrets: {provider: vaullt}}\n"
    assert "Did you mean 'vault'?" in only(list(refused(load_runner, write(tmp_path, text)))).remedy
