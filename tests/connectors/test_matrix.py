"""What every connector that reads must have, so that none comes without.

A suite that it passes (which tries `check` and `discover`), records that survive faults where it is an API's, a bound
on its memory, an example job, and a page.
"""

from __future__ import annotations

import ast
import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import tests.connectors
from dativo_provider.connectors.registry import connector, connectors
from dativo_provider.connectors.rest.load import api_of, names
from tests.conformance.readers import ReaderConformance
from tests.connectors.vendors.suite import VendorSuite
from tests.support import requirement

ROOT = Path(__file__).parents[2]
READS = sorted(name for name, info in connectors().items() if info.runs("source"))
ANY = "rest"  # an API by a user's own spec: its page is how to write one, and it has no example
NO_VENDOR = {"airbyte", "json_api", "singer"}  # what answers them is no API of a vendor's
SAAS = sorted(name for name in READS if connector(name).category == "api" and name not in NO_VENDOR)


@cache
def suites() -> dict[str, list[type]]:
    """By connector, the classes that put its reader through a suite."""
    found: dict[str, list[type]] = {}
    for module in pkgutil.walk_packages(tests.connectors.__path__, f"{tests.connectors.__name__}."):
        if module.name.rpartition(".")[2].startswith("test_"):
            for each in vars(import_module(module.name)).values():
                for name in _tried(each):
                    found.setdefault(name, []).append(each)
    return found


def _tried(each: object) -> tuple[str, ...]:
    if not isinstance(each, type) or not getattr(each, "__test__", True):
        return ()
    if issubclass(each, VendorSuite):
        return (each.connector,) if hasattr(each, "connector") else ()
    return each.connectors if issubclass(each, ReaderConformance) else ()


@cache
def proven() -> set[tuple[str, str]]:
    """(what, connector) of every `proves` mark; the records of a vendor's suite survive faults in bounded memory."""
    found = {
        (name, each.connector) for each in _vendor_suites() for name in ("memory", "faults")
        if callable(each.test_ten_thousand_records_survive_random_faults_in_bounded_memory)
    }  # fmt: skip
    for path in Path(tests.connectors.__path__[0]).rglob("*.py"):
        for mark in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            found |= {(mark[0], name) for name in mark[1:]}
    return found


def _vendor_suites() -> list[type[VendorSuite]]:
    return [each for made in suites().values() for each in made if issubclass(each, VendorSuite)]


def _marks(tree: ast.AST) -> list[tuple[str, ...]]:
    calls = [mark for node in ast.walk(tree) for mark in getattr(node, "decorator_list", ())]
    return [
        tuple(ast.literal_eval(arg) for arg in mark.args) for mark in calls
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "proves"
    ]  # fmt: skip


@requirement("CON-40")
@pytest.mark.parametrize("name", READS)
def test_its_reader_passes_a_suite_that_checks_and_discovers(name: str) -> None:
    made = suites().get(name, [])
    assert made, f"inherit ReaderConformance or VendorSuite in tests/connectors, with `connectors = ({name!r},)`"
    tried = {word for each in made for word in ("check", "discover") if _has(each, f"test_{word}_")}
    assert tried == {"check", "discover"}


def _has(suite: type, start: str) -> bool:
    return any(name.startswith(start) and callable(getattr(suite, name)) for name in dir(suite))


@requirement("CON-40", "ERR-02")
@pytest.mark.parametrize("name", SAAS)
def test_ten_thousand_records_of_an_api_survive_faults(name: str) -> None:
    assert ("faults", name) in proven(), f'inherit VendorSuite, or mark a test `@proves("faults", {name!r})`'


@requirement("CON-40", "REG-16")
@pytest.mark.parametrize("name", READS)
def test_its_memory_is_bounded(name: str) -> None:
    assert ("memory", name) in proven(), f'inherit VendorSuite, or mark a test `@proves("memory", {name!r})`'


@requirement("CON-40", "DOC-01")
@pytest.mark.parametrize("name", sorted({*READS} - {ANY}))
def test_an_example_job_reads_it(name: str) -> None:
    """That jobs of examples are valid and DAGs is proven in tests/dag_factory."""
    jobs = (ROOT / "examples" / "connectors" / name).glob("tenants/*/jobs/*.yaml")
    assert name in {yaml.safe_load(job.read_text(encoding="utf-8"))["source_connector"] for job in jobs}


@requirement("CON-40", "DOC-01")
@pytest.mark.parametrize("name", sorted({*READS} - {ANY}))
def test_its_page_shows_a_job_and_its_settings(name: str) -> None:
    """That pages are those the code makes is proven in tests/docs."""
    page = (ROOT / "docs" / "connectors" / f"{name}.md").read_text(encoding="utf-8")
    assert "## A job" in page
    assert "## Connection" in page or "## Options" in page


@requirement("CON-40", "DOC-01")
@pytest.mark.parametrize("name", names())
def test_the_page_of_a_spec_tells_streams_limits_and_rights(name: str) -> None:
    page, api = (ROOT / "docs" / "connectors" / f"{name}.md").read_text(encoding="utf-8"), api_of(name)
    assert all(f"\n## {stream}\n" in page for stream in api.streams)
    assert [stream for stream, each in api.streams.items() if not each.permission] == []
    assert api.limits
    assert "## Limits" in page
