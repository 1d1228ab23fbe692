"""Readers of databases hold a batch or two, however many rows the server sends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.services.framework import ROOT
from tests.support import proves, requirement

READ = """
import json, re, sys
from pathlib import Path
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.stream import WindowRequest
from tests.connectors.database_world import reader, table
asked = json.loads(sys.argv[1])
stream = table("t", query=asked["query"])
with reader(SourceSpec(asked["connector"], asked["params"])) as opened:
    (piece,) = opened.slices(stream, opened.window(stream, WindowRequest(full=True)), 1)
    count = sum(batch.rows for batch in opened.read(stream, piece))
# not ru_maxrss: it is inherited from the process that started us
print(count, int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""
QUERIES = {
    "postgres": "select g as id, md5(g::text) as a, (g % 1000) / 7.0::numeric(10,2) as b, now() as c, "
    "repeat('x', g % 60) as d from generate_series(1, {rows}) g",
    "mysql": "select seq as id, md5(seq) as a, cast(seq % 1000 / 7 as decimal(10,2)) as b, now(6) as c, "
    "repeat('x', seq % 60) as d from seq_1_to_{rows}",
}
SERVERS = {"postgres": "postgres", "mysql": "mariadb"}


@pytest.fixture(params=QUERIES)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, dict[str, Any]]]:
    with request.getfixturevalue(SERVERS[request.param]).database() as database:
        yield request.param, dict(database.params)


@proves("memory", "postgres", "mysql", "mariadb")
@pytest.mark.slow
@requirement("REG-16", "CON-03", "CON-04")
def test_memory_is_flat_however_many_rows(server: tuple[str, dict[str, Any]]) -> None:
    connector, params = server

    def peak(rows: int) -> int:
        asked = {"connector": connector, "params": params, "query": QUERIES[connector].format(rows=rows)}
        command = [sys.executable, "-c", READ, json.dumps(asked)]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        count, megabytes = map(int, done.stdout.split())
        assert count == rows
        return megabytes

    # The rows that come on top are 150 MB of values; what allocators keep differs by 45 MB between equal reads.
    once, thrice = peak(700_000), peak(2_100_000)
    assert thrice < 400
    assert thrice - once < 75
