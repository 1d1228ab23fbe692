"""How long 1000 jobs with 1000 contracts of 25 fields take to load in one fresh process; imports apart.

python -m benchmarks.parse_jobs [COUNT]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

FIELDS = 25
CHILD = "from benchmarks.parse_jobs import measure; measure()"


def write(root: Path, count: int) -> None:
    """`count` jobs over ten tenants, each with a contract of its own: about 150 lines of YAML per job."""
    for number in range(count):
        tenant = root / "tenants" / f"tenant_{number % 10}"
        (tenant / "jobs").mkdir(parents=True, exist_ok=True)
        (tenant / "contracts").mkdir(exist_ok=True)
        (tenant / "jobs" / f"orders_{number}.yaml").write_text(job(number))
        (tenant / "contracts" / f"orders_{number}.odcs.yaml").write_text(contract(number))


def job(number: int) -> str:
    return f"""\
# Orders of shop {number}, every quarter of an hour
description: Orders of shop {number}
source_connector: postgres
target_connector: iceberg
asset: orders_{number}
source:
  connection_id: tenant_{number % 10}_shop
  tables:
    - name: public.orders_{number}
      cursor_field: field_1
  incremental:
    strategy: updated_at
    lookback_hours: 1
target:
  partitioning: [day(field_1)]
  parquet_target_size_mb: 150
data_contract:
  quality_checks:
    - name: amount_range
      type: range
      field: field_2
      min: 0
      max: 100000
      severity: warning
schedule:
  cron: "{number % 60} * * * *"
  timezone: Europe/Berlin
  tags:
    team: sales
retry_config:
  max_retries: 3
"""


def contract(number: int) -> str:
    head = f"""\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-{number:012d}
name: orders_{number}
version: 1.0.0
status: active
domain: sales
dataProduct: orders
description:
  purpose: Orders as the shop sees them
team:
  members:
    - username: data@example.com
      role: Owner
schema:
  - name: orders_{number}
    physicalType: table
    properties:
"""
    return head + "".join(column(at) for at in range(FIELDS))


def column(at: int) -> str:
    kind = ("integer", "timestamp", "number", "string", "boolean")[at % 5]
    key = "        primaryKey: true\n        required: true\n" if at == 0 else ""
    limits = "        logicalTypeOptions:\n          minimum: 0\n" if kind == "number" else ""
    return (
        f"      - name: field_{at}\n        logicalType: {kind}\n        description: Field number {at}\n{key}{limits}"
    )


def measure() -> None:
    """Runs in the fresh process; the folder is the first argument."""
    start = perf_counter()
    from dativo_provider.config.find import find_jobs
    from dativo_provider.config.jobs import load_job

    imported = perf_counter()
    root = Path(sys.argv[1])
    files = find_jobs(root)
    found, cpu = perf_counter(), process_time()
    jobs = [load_job(file.path, root=root) for file in files]
    loaded, cpu = perf_counter(), process_time() - cpu
    one = perf_counter()
    load_job(files[-1].path, root=root)
    assert sum(len(stream.contract.fields) for each in jobs for stream in each.streams) == FIELDS * len(jobs)
    print(f"imports {imported - start:.2f} s")
    print(f"find    {found - imported:.2f} s for {len(files)} files")
    print(f"load    {loaded - found:.2f} s, {(loaded - found) / len(jobs) * 1000:.2f} ms a job ({cpu:.2f} s of CPU)")
    print(f"again   {(perf_counter() - one) * 1000:.2f} ms for one job whose contract is known")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), count)
        subprocess.run([sys.executable, "-c", CHILD, folder], check=True)


if __name__ == "__main__":
    main()
