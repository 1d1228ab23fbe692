"""How long Airflow's parser needs for many jobs: `python benchmarks/parse_dags.py [jobs]`.

Writes that many jobs, each with a contract of 25 fields, into a scratch folder; parses it in a fresh process as
the DAG processor does, then one DAG of it as a task's process does (the median of three). Imports are timed
apart; the first asset of a process makes Airflow import the asset handlers of all providers, which is one.
`cpu` is what the parser itself used: on a busy machine the better figure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
TENANTS = 10
KINDS = (("integer", "{minimum: 0}"), ("string", "{maxLength: 200}"), ("number", "{minimum: 0, maximum: 100000}"))

JOB = """\
tenant_id: {tenant}
source_connector: csv
target_connector: iceberg
asset_path: ../contracts/{name}.odcs.yaml
description: Job {name} of tenant {tenant}.
source:
  files:
    - path: data/{name}/*.csv
      object: {name}
  incremental:
    strategy: file_modified_time
target:
  partitioning: [field_00]
schema_validation_mode: warn
retry_config:
  max_retries: 3
schedule:
  cron: "{minute} * * * *"
  timezone: Europe/Berlin
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: {name}
name: {name}
version: 1.0.0
status: active
domain: sales
description:
  purpose: What {name} is for.
team:
  name: data
  members:
    - {{username: data@example.com, role: owner}}
schema:
  - name: {name}
    logicalType: object
    properties:
{fields}"""
FIELD = """\
      - name: field_{n:02d}
        logicalType: {kind}
        required: {required}
        description: Meaning of field {n}.
        logicalTypeOptions: {options}
"""
PARSE = """
import json, resource, sys, time
started = time.perf_counter()
import airflow.sdk
airflow.sdk.Asset("warm", "dativo-iceberg://a/b/c")  # loads all handlers
airflow_seconds = time.perf_counter() - started
started = time.perf_counter()
import dag_factory.load, dativo_provider.config, dativo_provider.quality.frontends
ours = time.perf_counter() - started
started, cpu = time.perf_counter(), time.process_time()
namespace = {}
dag_factory.load.load(namespace, sys.argv[1])
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
invalid = [dag.doc_md for dag in namespace.values() if "dativo:invalid" in dag.tags]
print(json.dumps({"dags": len(namespace), "parse": seconds, "cpu": cpu, "imports_airflow": airflow_seconds,
    "imports_dativo": ours, "invalid": invalid[:1],
    "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def write_jobs(root: Path, count: int) -> None:
    for number in range(count):
        tenant, name = f"tenant_{number % TENANTS}", f"job_{number:04d}"
        jobs, contracts = root / "tenants" / tenant / "jobs", root / "tenants" / tenant / "contracts"
        jobs.mkdir(parents=True, exist_ok=True)
        contracts.mkdir(exist_ok=True)
        (jobs / f"{name}.yaml").write_text(JOB.format(tenant=tenant, name=name, minute=number % 60))
        (contracts / f"{name}.odcs.yaml").write_text(CONTRACT.format(name=name, fields="".join(map(_field, range(25)))))


def _field(n: int) -> str:
    kind, options = KINDS[n % len(KINDS)]
    return FIELD.format(n=n, kind=kind, required=str(n < 5).lower(), options=options)


def parse(root: Path, only: str = "") -> dict[str, object]:
    environment = {**os.environ, "AIRFLOW_HOME": str(root / "airflow"), "PYTHONPATH": str(REPOSITORY)}
    if only:
        environment["_AIRFLOW_PARSING_CONTEXT_DAG_ID"] = only
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(root / "loader.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(count: int) -> dict[str, dict[str, object]]:
    root = Path(tempfile.mkdtemp(prefix="dativo-parse-"))
    try:
        write_jobs(root, count)
        runs = [parse(root, "tenant_0.job_0000") for _ in range(3)]
        return {"all": parse(root), "one": sorted(runs, key=lambda run: float(str(run["parse"])))[1]}
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000), indent=2))
