"""The room's face: its names, its weight, its schemas, its pages, and what it shares with rooms above."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import dativo_provider.config as config
from dativo_provider.config.docs import main, pages
from dativo_provider.config.known import BUILT_IN
from dativo_provider.config.shapes.asset import Asset
from dativo_provider.config.shapes.base import Shape
from dativo_provider.config.shapes.checks import CHECK_TYPES
from dativo_provider.config.shapes.contract import Contract
from dativo_provider.config.shapes.job import Job
from dativo_provider.config.shapes.recipe import Recipe, Registry
from dativo_provider.config.shapes.runner import Runner
from dativo_provider.config.shapes.tenant import Tenant
from dativo_provider.config.yamlpos import parse, read, without_nulls
from dativo_provider.model.personal import is_personal
from tests.config.support import CONTRACT, JOB
from tests.config.test_assets import CHECKS, FLAT, WRAPPED
from tests.config.test_recipes import RECIPE, REGISTRY
from tests.config.test_runners import RUNNER
from tests.support import requirement

ROOT = Path(__file__).parents[2]
HEAVY = ("airflow", "pyarrow", "duckdb", "pyiceberg", "pandas", "boto3", "sqlalchemy", "psycopg2", "numpy")


def test_every_public_name_exists_and_nothing_else_is_promised() -> None:
    assert config.__all__ == sorted(config.__all__)
    assert all(getattr(config, name) is not None for name in config.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        config.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_room_loads_nothing_heavy() -> None:
    program = (
        "import sys, dativo_provider.config as c; light = 'pydantic' not in sys.modules\n"
        "[getattr(c, name) for name in c.__all__]\n"
        f"print(light, [name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "True []"


@requirement("CFG-09")
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("job", JOB), ("contract", CONTRACT), ("asset", FLAT), ("asset", WRAPPED), ("checks", CHECKS),
        ("runner", RUNNER), ("recipe", RECIPE), ("registry", REGISTRY), ("tenant", "variables: PGHOST\nroots: {files: x}\n"),  # noqa: E501
        ("job", "target: {catalog: nessie, partitioning: [day(x), {column: a}]}\nsource: {tables: [a, {name: b}], files: [c]}\n"),  # noqa: E501
        ("job", "schedule: {interval: 5m}\nsource: {key: id}\n"),
    ],
)  # fmt: skip
def test_editors_accept_what_we_accept(kind: str, text: str) -> None:
    schema = config.json_schemas()[kind]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(without_nulls(parse(text).data), schema, jsonschema.Draft202012Validator)


@requirement("CFG-09")
def test_editors_refuse_what_we_refuse_and_know_every_key() -> None:
    schemas = config.json_schemas()
    validator = jsonschema.Draft202012Validator(schemas["job"])
    for wrong in ({"sourc": 1}, {"slices": "many"}, {"source": {"tables": [{"nme": 1}]}}):
        assert list(validator.iter_errors(wrong))
    assert "description" in schemas["job"]["properties"]["slices"]
    assert json.loads(json.dumps(schemas)) == schemas


@requirement("REG-15")
def test_the_shipped_snippets_fit_the_schemas() -> None:
    schemas = config.json_schemas()
    for path in (ROOT / "tests/config/snippets").glob("*.yaml"):
        kind = "runner" if path.stem == "runner" else "job"
        jsonschema.validate(read(path).data, schemas[kind], jsonschema.Draft202012Validator)


def shapes(model: type[Shape]) -> set[type[Shape]]:
    from dativo_provider.config.docs import _shapes

    found: set[type[Shape]] = set()
    waiting = [model]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += [inner for field in each.model_fields.values() for inner in _shapes(field.annotation)]
    return found


@pytest.mark.parametrize("model", [Job, Contract, Asset, Runner, Tenant, Recipe, Registry])
def test_every_key_has_a_description(model: type[Shape]) -> None:
    bare = [f"{each.__name__}.{name}" for each in shapes(model) for name, field in each.model_fields.items()
            if not field.description]  # fmt: skip
    assert bare == []
    assert all(each.__doc__ for each in shapes(model))


@requirement("DOC-01")
def test_the_reference_pages_are_not_stale(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert main([]) == 2
    for name, text in pages().items():
        assert (tmp_path / name).read_text() == text
        shipped = ROOT / "docs/reference" / name
        assert shipped.read_text() == text, f"run: python -m dativo_provider.config.docs {shipped.parent}"


def test_pages_show_keys_types_defaults_and_meanings() -> None:
    job = pages()["job.md"]
    assert "| `slices` | whole number |  | Tasks that read one stream at once; default: by the source's size. |" in job
    assert "## `source.tables[]`" in job
    assert "| `spreadsheet_id` | text | **required** |" in job
    assert "`append`, `replace`, `merge`" in job
    assert "| integer, bigint, … | long |" in pages()["contract.md"]


def test_check_types_are_those_the_quality_room_compiles() -> None:
    inline = pytest.importorskip("dativo_provider.quality.frontends.inline")
    assert set(CHECK_TYPES) - {"custom"} == set(inline._TYPES)


@requirement("CFG-05")
def test_what_can_run_here_can_be_opened_by_the_connectors_room() -> None:
    registry = pytest.importorskip("dativo_provider.connectors.registry")
    for name, info in registry.connectors().items():
        assert name in BUILT_IN, name
        known = BUILT_IN[name]
        assert {"source": known.source, "target": known.target} == {
            role: role in info.roles for role in ("source", "target")
        }
        assert known.cloud == info.capabilities.allowed_in_cloud, name
        assert set(known.runs) == {role for role in ("source", "target") if info.runs(role)}, name


@pytest.mark.parametrize(
    ("classification", "personal"),
    [("PII", True), ("pii:email", True), ("personal-data", True), ("Sensitive_PII", True), ("public", False), ("3", False), ("", False)],  # noqa: E501
)  # fmt: skip
def test_what_counts_as_personal_is_the_same_everywhere(classification: str, personal: bool) -> None:
    lake: Any = pytest.importorskip("dativo_provider.lake.personal")
    assert is_personal(classification) is lake.is_personal(classification) is personal
