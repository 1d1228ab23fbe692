from __future__ import annotations

import json
import subprocess
import sys

# sqlalchemy, fastapi and openlineage may be there because of Airflow; none may be there because of us.
HEAVY = (
    "pyarrow", "duckdb", "pyiceberg", "pandas", "numpy", "boto3", "psycopg2", "great_expectations", "soda_core",
    "sqlalchemy", "fastapi", "openlineage",
)  # fmt: skip
MODULES = (
    "dativo_provider.get_provider_info",
    "dativo_provider.plugin.dativo",
    "dativo_provider.plugin.commands",
    "dativo_provider.hooks.asset_uri",
    "dativo_provider.config",
    *(f"dativo_provider.operators.{name}" for name in ("plan", "extract", "transform", "audit", "publish", "sync")),
    "dativo_provider.operators.refuse",
    "dag_factory.load",
    "dativo_provider.quality.frontends",
)
SCRIPT = """
import importlib, json, sys, time
import airflow.sdk, airflow.sdk.plugins_manager
heavy, modules, seconds, added = set(sys.argv[1].split()), sys.argv[2].split(), {}, {}
for module in modules:
    before, started = set(sys.modules), time.process_time()
    importlib.import_module(module)
    seconds[module] = time.process_time() - started
    added[module] = sorted({name.partition(".")[0] for name in set(sys.modules) - before} & heavy)
print(json.dumps({"seconds": seconds, "added": added}))
"""


def test_importing_an_airflow_facing_module_loads_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, " ".join(HEAVY), " ".join(MODULES)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["added"] == {module: [] for module in MODULES}
    assert found["seconds"]["dativo_provider.plugin.dativo"] < 0.1, "the plugin is imported by every task process"
