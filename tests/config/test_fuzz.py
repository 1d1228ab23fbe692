"""500 mutated files: each loads or gives located problems, never a traceback. Mutations of every kind of file."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from dativo_provider.config import check_paths, find_jobs
from dativo_provider.config.yamlpos import parse
from tests.config.support import CONTRACT, JOB
from tests.config.test_assets import CHECKS, FLAT, WRAPPED
from tests.config.test_odcs import EVERY_KEY
from tests.config.test_recipes import RECIPE, REGISTRY
from tests.config.test_runners import RUNNER
from tests.support import requirement

SNIPPETS = Path(__file__).parent / "snippets"
FULL_JOB = """\
source_connector: postgres
asset: orders
environment: prod
environments: {prod: {slices: 2, target: {compression: snappy}}}
source:
  tables:
    - {name: public.orders, object: orders, cursor_field: updated_at, columns: [id, updated_at], where: x > 1, key: id}
  connection: {host: "${ACME_HOST:-db}", password: "${SECRET:db}"}
  incremental: {strategy: updated_at, lookback_hours: 1}
target:
  partitioning: [day(updated_at), "bucket[16](id)"]
  namespace: acme_sales
  catalog: {type: sql, uri: postgresql://x}
data_contract:
  enforcement_mode: warn
  inline_checks: [{type: null_check, column: id}]
  quality_checks:
    soda: [{name: a, type: uniqueness, columns: [id]}]
    custom: [{name: b, function: f}]
transformations: [{name: get_year, expression: year(updated_at), data_type: int}]
schedule: {cron: "0 * * * *", timezone: UTC, tags: {a: b}}
retry_config: {max_retries: 2, retryable_error_patterns: ["a.*b"]}
classification_overrides: {country: internal}
finops: {cost_center: a, business_tags: [b, c]}
alert_rules: [{name: a, condition: amount > 1, action: slack}]
"""
CSV_JOB = """\
source_connector: csv
source: {files: [{path: in/*.csv, object: orders, asset: orders, on_changed_file: append}], options: {delimiter: ";"}}
target: {partitioning: [ingest_date], write_mode: append}
"""
TENANT = """\
tenant_id: acme
namespace: "{tenant}_{domain}"
roots: {files: [data, "s3://in/acme"], warehouses: [s3://lake/acme]}
variables: [PGHOST]
connections: [shared]
owners: [a@b.c]
tags: {a: b}
concurrency: 3
"""


def snippet(name: str, tenant: str) -> str:
    return (SNIPPETS / f"{name}.yaml").read_text().replace(tenant, "acme")


EXAMPLES = {
    "tenants/acme/jobs/orders.yaml": FULL_JOB,
    "tenants/acme/jobs/short.yaml": JOB,
    "tenants/acme/jobs/files.yaml": CSV_JOB,
    "tenants/acme/jobs/articles.yaml": snippet("zendesk_articles_to_markdown_kv", "techcorp"),
    "tenants/acme/jobs/billing.yaml": snippet("aws_billing_to_iceberg", "financeops"),
    "tenants/acme/contracts/orders.odcs.yaml": CONTRACT,
    "tenants/acme/contracts/every.odcs.yaml": EVERY_KEY,
    "tenants/acme/contracts/zendesk_articles_markdown_kv.odcs.yaml": (
        SNIPPETS / "contracts" / "zendesk_articles_markdown_kv.odcs.yaml"
    ).read_text(),
    "assets/flat.yaml": FLAT,
    "assets/wrapped.yaml": WRAPPED,
    "contracts/checks.yaml": CHECKS,
    "connectors/shop.yaml": RECIPE,
    "registry/connectors.yaml": REGISTRY,
    "runner.yaml": RUNNER,
    "tenants/acme/tenant.yaml": TENANT,
    "tenants/acme/defaults.yaml": "slices: 2\nschedule: {cron: '@daily'}\ntarget: {compression: zstd}\n",
}  # fmt: skip
ORDERS, FILES = "tenants/acme/jobs/orders.yaml", "tenants/acme/jobs/files.yaml"
DEPENDENT = {
    "tenants/acme/contracts/orders.odcs.yaml": (ORDERS, FILES),
    "tenants/acme/tenant.yaml": (ORDERS, FILES),
    "tenants/acme/defaults.yaml": (ORDERS,),
}
STRANGE: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, float("inf"), "", "x", "${HOME}", "{{ x }}", "../../etc", "a" * 5000, "é\u202e", [],
    {}, [None], [[]], {"": None}, {"a": {"b": [1, {"c": None}]}}, [{"name": None}], "yes", "0", "2020-01-01",
    "*", "*/*", "${",
    {"type": []}, ["a", 1, None, {}], "bucket[99999999999](x)", "0 0 31 2 *", "\\", "'", '"', "%s",
    "{0.__class__}", "\x7f",
]  # fmt: skip
Spot = tuple[Any, Any]


def spots(value: Any) -> list[Spot]:
    """Every (container, key) inside a document."""
    found: list[Spot] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items):
        found += [(value, key), *spots(inner)]
    return found


def delete(chance: random.Random, data: dict[str, Any]) -> None:
    container, key = chance.choice(spots(data))
    del container[key]


def replace(chance: random.Random, data: dict[str, Any]) -> None:
    container, key = chance.choice(spots(data))
    container[key] = deepcopy(chance.choice(STRANGE))


def rename(chance: random.Random, data: dict[str, Any]) -> None:
    container, key = chance.choice([spot for spot in spots(data) if isinstance(spot[0], dict)])
    word = str(key)
    at = chance.randrange(len(word) + 1)
    container[chance.choice([word[:at] + "x" + word[at:], word[:at] + word[at + 1 :], word.upper(), ""])] = (
        container.pop(key)
    )


def copy(chance: random.Random, data: dict[str, Any]) -> None:
    container, key = chance.choice(spots(data))
    other, name = chance.choice(spots(data))
    container[key] = deepcopy(other[name])


def wrap(chance: random.Random, data: dict[str, Any]) -> None:
    container, key = chance.choice(spots(data))
    container[key] = chance.choice([[container[key]], {"x": container[key]}, str(container[key])])


def as_text(change: Callable[[random.Random, dict[str, Any]], None], chance: random.Random, text: str) -> bytes:
    data = yaml.safe_load(yaml.safe_dump(parse(text).data))
    for _ in range(chance.randint(1, 3)):
        if spots(data):
            change(chance, data)
    return yaml.dump(data, allow_unicode=True).encode()


def cut(chance: random.Random, text: str) -> bytes:
    return text.encode()[: chance.randrange(len(text))]


def double_line(chance: random.Random, text: str) -> bytes:
    lines = text.splitlines()
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "\n".join(lines).encode()


def noise(chance: random.Random, text: str) -> bytes:
    content = bytearray(text.encode())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(content))
        content[at : at + chance.randint(0, 2)] = chance.choice(
            [
                bytes([chance.randrange(256)]),
                b"\t",
                b"\x00",
                b"{",
                b"]",
                b": ",
                b"\n",
                b"&a ",
                b"*a",
                b"!!x ",
                b"- ",
                b"|",
                b"'",
            ]
        )
    return bytes(content)


def shift(chance: random.Random, text: str) -> bytes:
    lines = text.splitlines()
    at = chance.randrange(len(lines))
    lines[at] = chance.choice([" " + lines[at], lines[at].lstrip(), "\t" + lines[at], "---", "? " + lines[at]])
    return "\n".join(lines).encode()


TREE = (delete, replace, rename, copy, wrap)
BYTES = (cut, double_line, noise, shift)


def mutated(chance: random.Random, text: str) -> bytes:
    if chance.random() < 0.65:
        return as_text(chance.choice(TREE), chance, text)
    return chance.choice(BYTES)(chance, text)


@pytest.fixture
def deployment_files(tmp_path: Path) -> Path:
    for name, text in EXAMPLES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_the_examples_themselves_are_good(deployment_files: Path) -> None:
    assert [str(each) for each in check_paths([deployment_files]) if each.severity == "error"] == []


@requirement("CFG-01")
def test_500_mutations_load_or_are_refused_at_a_place(deployment_files: Path) -> None:
    chance = random.Random(20261120)
    names = list(EXAMPLES)
    refused = 0
    for number in range(500):
        name = names[number % len(names)]
        path = deployment_files / name
        content = mutated(chance, EXAMPLES[name])
        path.write_bytes(content)
        found = check_paths([path, *(deployment_files / job for job in DEPENDENT.get(name, ()))])
        find_jobs(deployment_files)
        refused += any(each.severity == "error" for each in found)
        for each in found:
            assert each.line >= 1
            assert each.column >= 1
            assert each.message
            assert each.line <= content.count(b"\n") + content.count(b"\r") + 2 or each.path != str(path)
        path.write_text(EXAMPLES[name])
    assert refused > 250
