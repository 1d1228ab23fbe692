"""`astro dev pytest`: every YAML of this project is a DAG without mistakes. Needs no network and no database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dag_factory.load import load

DAGS: dict[str, Any] = {}
load(DAGS, str(Path(__file__).resolve().parents[2] / "dags" / "dativo_loader.py"))


@pytest.mark.parametrize("dag_id", sorted(DAGS))
def test_the_job_has_no_mistakes(dag_id: str) -> None:
    assert "dativo:invalid" not in DAGS[dag_id].tags, DAGS[dag_id].doc_md
