"""The Astro project, parsed by Airflow with the wheel that its requirements would install."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "astro-project"
pytestmark = pytest.mark.one_set  # what the wheel holds; parsing under other pins is tested beside it
PARSE = """
import json, sys
from pathlib import Path
import dag_factory
from airflow.dag_processing.dagbag import BundleDagBag
bag = BundleDagBag(sys.argv[1], bundle_path=Path(sys.argv[1]), bundle_name="dags-folder")
print(json.dumps({
    "package": dag_factory.__file__,
    "errors": bag.import_errors,
    "dags": {dag.dag_id: sorted(dag.tags) for dag in bag.dags.values()},
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The built wheel, unpacked into a folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    folders = (Path(sys.executable).parent, REPOSITORY / ".venv" / "bin", *map(Path, os.get_exec_path()))
    uv = [str(next(folder / "uv" for folder in folders if (folder / "uv").is_file()))]
    quiet = {"check": True, "capture_output": True, "text": True, "timeout": 300}
    subprocess.run([*uv, "build", "--wheel", "--out-dir", str(folder), str(REPOSITORY)], **quiet)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*uv, "pip", "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], **quiet)
    return folder / "site"


def test_the_projects_dags_parse_with_the_wheel(installed, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(installed), "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(PROJECT / "dags")],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["package"].startswith(str(installed))
    assert found["errors"] == {}
    assert set(found["dags"]) == {"acme.customers", "acme.maintenance", "acme.replay", "dativo.doctor"}
    assert not {"dativo:invalid", "dativo:unsupported"} & set(found["dags"]["acme.customers"])


def test_the_loader_has_the_words_airflow_looks_for():
    text = (PROJECT / "dags" / "dativo_loader.py").read_text()
    assert text == (REPOSITORY / "dags" / "dativo_loader.py").read_text()
    assert "airflow" in text.lower()
    assert "dag" in text.lower()
    assert len([line for line in text.splitlines() if line and not line.startswith('"""')]) <= 2


def test_the_image_is_an_astro_runtime_of_airflow_3_3():
    assert re.fullmatch(r"FROM astrocrpublic\.azurecr\.io/runtime:3\.3-\d+\n", (PROJECT / "Dockerfile").read_text())
    assert "airflow-provider-dativo" in (PROJECT / "requirements.txt").read_text()


def test_the_sample_data_is_where_the_tenant_may_read():
    assert (PROJECT / "include" / "data" / "customers.csv").is_file()
