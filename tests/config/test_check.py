from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import check_paths
from dativo_provider.config.kinds import kind_of
from dativo_provider.config.yamlpos import parse
from tests.config.support import CONTRACT, JOB, Deployment, only, place
from tests.config.test_assets import CHECKS, FLAT, WRAPPED
from tests.config.test_odcs import EVERY_KEY
from tests.config.test_recipes import RECIPE, REGISTRY
from tests.config.test_runners import RUNNER
from tests.support import requirement


@requirement("CFG-01")
@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        (JOB, "a.yaml", "job"), (CONTRACT, "a.yaml", "odcs"), (EVERY_KEY, "a.yaml", "odcs"), (FLAT, "a.yaml", "asset"),
        (WRAPPED, "a.yaml", "asset"), (CHECKS, "a.yaml", "checks"), (RECIPE, "a.yaml", "recipe"),
        (REGISTRY, "a.yaml", "registry"), (RUNNER, "a.yaml", "runner"), ("schedules: []", "a.yaml", "runner"),
        ("name: x", "tenants/x/tenant.yaml", "tenant"), ("namespace: '{tenant}'\nroots: {}", "a.yaml", "tenant"),
        ("slices: 2", "tenants/x/defaults.yaml", "defaults"), ("compliance: {}", "a.yaml", "other"),
        ("policy: {}", "a.yaml", "policy"), ("services: {}", "a.yaml", "unknown"),
        ("apiVersion: apps/v1\nkind: Deployment", "a.yaml", "unknown"), ("kind: Service\nspec: {}", "a.yaml", "unknown"),  # noqa: E501
        ("source: {reader: {plugin_path: a.b}}", "a.yaml", "job"), ("tenant_id: a\nsource: {}", "a.yaml", "job"),
        ("tenant_id: a\nvariables: [X]", "a.yaml", "tenant"), ("schema: [{name: a, type: string}]", "a.yaml", "asset"),
        ("schema: [{name: a, properties: []}]", "a.yaml", "odcs"), ("asset: orders\nsource: {}", "a.yaml", "job"),
        ("data_contract: {enabled: true}\nsource_connector: csv", "a.yaml", "job"),
        ("source_type: csv\nname: a\nobject: b", "a.yaml", "asset"),
    ],
)  # fmt: skip
def test_files_are_told_apart_by_content(text: str, path: str, kind: str) -> None:
    assert kind_of(parse(text).data, path) == kind


def test_a_good_deployment_has_no_problem(deployment: Deployment) -> None:
    deployment.write("tenants/acme/jobs/orders.yaml", JOB)
    deployment.write("tenants/acme/tenant.yaml", "name: Acme\n")
    deployment.write("tenants/acme/defaults.yaml", "slices: 2\n")
    deployment.write("assets/customers.yaml", FLAT)
    deployment.write("connectors/shop.yaml", RECIPE)
    deployment.write("registry/connectors.yaml", REGISTRY)
    deployment.write("runner.yaml", RUNNER)
    deployment.write("docker-compose.yaml", "services: {}\n")
    deployment.write(".venv/broken.yaml", "a: [")
    assert check_paths([deployment.root]) == []


def test_problems_of_every_file_come_sorted_and_once(deployment: Deployment) -> None:
    deployment.write("tenants/acme/jobs/orders.yaml", JOB + "slices: 0\n")
    deployment.write("tenants/acme/jobs/again.yaml", JOB)
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", CONTRACT.replace("integer", "integr"))
    deployment.write("tenants/acme/tenant.yaml", "rots: 1\n")
    deployment.write("tenants/acme/defaults.yaml", "slice: 2\n")
    deployment.write("connectors/shop.yaml", RECIPE.replace("type: native", "type: nativ"))
    deployment.write("registry/connectors.yaml", REGISTRY.replace("3", "4", 1))
    deployment.write("runner.yaml", RUNNER.replace("cron:", "corn:"))
    deployment.write("broken.yaml", "a: [\n")
    found = check_paths([deployment.root, deployment.root / "broken.yaml"])
    shown = [(str(Path(each.path).relative_to(deployment.root)), each.line) for each in found]
    assert shown == sorted(shown)
    assert len(found) == len(set(map(str, found)))
    assert {path for path, _ in shown} == {
        "broken.yaml", "connectors/shop.yaml", "registry/connectors.yaml", "runner.yaml",
        "tenants/acme/contracts/orders.odcs.yaml", "tenants/acme/defaults.yaml", "tenants/acme/tenant.yaml",
    } | {path for path, _ in shown if "jobs" in path}  # fmt: skip


@requirement("CFG-12")
def test_every_environment_of_a_job_is_checked(deployment: Deployment) -> None:
    path = deployment.job(JOB + "environments:\n  dev: {slices: 2}\n  prod: {slices: 0}\n")
    found = only(check_paths([path]))
    assert place(found) == (7, 18)


def test_two_files_for_one_dag_are_an_error(deployment: Deployment) -> None:
    deployment.write("tenants/acme/jobs/orders.yaml", JOB)
    deployment.write("tenants/acme/jobs/orders.yml", JOB)
    found = check_paths([deployment.root])
    assert ["also makes the DAG 'acme.orders'" in each.message for each in found] == [True, True]


def test_a_file_that_is_none_of_ours_is_an_error_only_when_named(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services: {}\n")
    assert check_paths([tmp_path]) == []
    assert "this is no file of Dativo's (its keys: services)" in only(check_paths([path])).message
    path.write_text("compliance: {enabled: true}\n")
    assert only(check_paths([tmp_path])).severity == "warning"
    assert "cannot be read" in only(check_paths([tmp_path / "no.yaml"])).message


def test_paths_are_shown_as_they_were_given(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", CONTRACT.replace("integer", "integr"))
    deployment.job()
    monkeypatch.chdir(deployment.root)
    found = check_paths(["tenants/acme/jobs/orders.yaml"])
    assert str(only(found)).startswith("tenants/acme/contracts/orders.odcs.yaml:11:33: ")
