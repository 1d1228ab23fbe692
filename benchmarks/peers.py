"""Other tools of the field, in an environment of their own (`.venv-peers`, made on first use).

Each runs as its documentation advises for speed. ingestr and Sling are not here: their wheels fetch a program from
GitHub when they are first called, which a machine without the open internet cannot.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from tests.services.framework import ROOT

__all__ = ["peer"]

_NEEDS = ["dlt[filesystem,parquet,sql_database]==1.31.0", "connectorx==0.4.6", "psycopg2-binary", "pandas<3", "pyarrow"]
_DLT = """
import json, os, resource, sys, time
started = time.monotonic()
backend, url, table, home = sys.argv[1:]
os.environ.update(RUNTIME__DLTHUB_TELEMETRY="false", DLT_DATA_DIR=home + "/dlt")
os.environ["DATA_WRITER__FILE_MAX_BYTES"] = "150000000"
import dlt
from dlt.sources.sql_database import sql_table
options = {"backend_kwargs": {"return_type": "arrow"}} if backend == "connectorx" else {}
source = "postgresql+psycopg2://" + url.split("://")[1]
rows = sql_table(source, table=table, backend=backend, chunk_size=50_000, **options)
place = dlt.destinations.filesystem("file://" + home + "/out")
pipeline = dlt.pipeline("bench_" + backend, destination=place, dataset_name="bench", pipelines_dir=home + "/dlt")
pipeline.run(rows, loader_file_format="parquet", write_disposition="replace")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
seconds = time.monotonic() - started
import pathlib, pyarrow.parquet as pq
found = sum(pq.read_metadata(file).num_rows for file in pathlib.Path(home, "out").rglob(table + "/*.parquet"))
print(json.dumps({"rows": found, "seconds": seconds, "rss": peak}))
"""
_PANDAS = """
import json, resource, sys, time
path, home, fields = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
from datetime import date
import pandas as pd, pyarrow as pa, pyarrow.parquet as pq
started = time.monotonic()
as_type = {"long": int, "int": int, "decimal": float, "string": str, "date": date.fromisoformat}
fields = [(name, as_type[kind.partition("(")[0]]) for name, kind in fields.items()]

def held_to_contract(record):
    held = {}
    for name, convert in fields:
        value = record.get(name)
        if value is None:
            raise ValueError(name)
        held[name] = convert(value)
    return held

rows, writer = 0, None
for chunk in pd.read_csv(path, chunksize=10_000):
    table = pa.Table.from_pylist([held_to_contract(record) for record in chunk.to_dict("records")])
    writer = writer or pq.ParquetWriter(home + "/pandas.parquet", table.schema, compression="zstd")
    writer.write_table(table.cast(writer.schema))
    rows += table.num_rows
writer.close()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
print(json.dumps({"rows": rows, "seconds": time.monotonic() - started, "rss": peak}))
"""
_PROGRAMS = {"dlt": _DLT, "pandas": _PANDAS}


def peer(tool: str, *arguments: str) -> dict[str, float]:
    """Rows, seconds and peak memory of one run in a process of its own."""
    command = [str(_python()), "-c", _PROGRAMS[tool], *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


@cache
def _python() -> Path:
    python = ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([str(uv), "pip", "install", "-q", "--python", str(python), *_NEEDS], check=True)
    return python
