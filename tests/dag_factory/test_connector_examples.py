"""Every connector's example job is valid and is a DAG, and every connector that reads has one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from airflow.serialization.serialized_objects import DagSerialization

from dativo_provider.config import check_paths
from dativo_provider.connectors.guide import documented
from dativo_provider.connectors.registry import connectors
from tests.dag_factory.folders import loaded
from tests.support import requirement

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "connectors"
NAMES = sorted(path.name for path in EXAMPLES.iterdir())


def test_every_connector_that_reads_has_an_example() -> None:
    reads = {name for name in documented() if name in connectors() and connectors()[name].runs("source")}
    assert sorted(reads - set(NAMES)) == []


@requirement("DOC-01", "CFG-05")
@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_connector_is_valid_and_a_dag(name: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / name, tmp_path, dirs_exist_ok=True)
    assert [str(problem) for problem in check_paths([tmp_path])] == []
    dags = loaded(tmp_path)
    assert len(dags) == len(list(tmp_path.glob("tenants/*/jobs/*.yaml"))) > 0
    for dag in dags.values():
        assert len(dag.tasks) > 1, dag.doc_md
        DagSerialization.to_dict(dag)
