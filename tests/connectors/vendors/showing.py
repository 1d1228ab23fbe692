"""A process that makes a sheet show some rows, and begins again as often as it is killed: `connection version rows`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import httpx  # noqa: F401 - once, not in every child
import pyarrow as pa

from dativo_provider.connectors.google.sheets.writer import SheetWriter, Shown
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from tests.connectors.vendors.clock import Clock


def show(connection: Mapping[str, Any], version: str, rows: int) -> None:
    def batches() -> Iterable[pa.RecordBatch]:
        yield pa.record_batch({"n": range(rows), "s": ["x" * 49_000] * rows})

    source = SourceSpec("google_sheets", connection, rate_limits={"requests": 1_000_000})
    made = SheetWriter(source, RunContext(Settings(home=""), cancelled=Clock())).aimed(
        connection["spreadsheet_id"], "report"
    )
    made.prepare()
    made.show(lambda: Shown(version, (Field("n", "long"), Field("s", "string")), rows, batches))


def main(connection: str, version: str, rows: str) -> None:
    while True:
        child = os.fork()
        if not child:
            show(json.loads(connection), version, int(rows))
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(*sys.argv[1:])
