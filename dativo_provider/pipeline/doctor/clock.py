"""clock: sweeps spare what is young, windows end at a moment, and object stores refuse skewed signatures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from dativo_provider.files import join
from dativo_provider.lake.catalog import open_catalog
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok, warn
from dativo_provider.pipeline.doctor.scratch import scratch

_NOTICEABLE, _HARMFUL = 5.0, 300.0


def check(patient: Patient) -> Iterator[Finding]:
    skews = {"the warehouse": _warehouse(patient), **_database(patient)}
    name, skew = max(skews.items(), key=lambda item: abs(item[1]))
    said = f"this machine and {name} are {abs(skew):.1f} s apart"
    if abs(skew) >= _HARMFUL:
        yield fail("clock", said, "let both follow a time server (NTP): sweeps could take new files for old ones")
    elif abs(skew) >= _NOTICEABLE:
        yield warn("clock", said, "let both follow a time server (NTP)")
    else:
        yield ok("clock", said)


def _warehouse(patient: Patient) -> float:
    """Object stores round to seconds."""
    with scratch(patient.ctx) as (files, folder):
        before = time.time()
        files.write(join(folder, "clock"), b"1")
        after = time.time()
        (info,) = files.list(folder)
    return _apart(info.mtime, before - 1, after + 1)


def _database(patient: Patient) -> Mapping[str, float]:
    """Of a catalog in PostgreSQL."""
    from sqlalchemy import text

    engine: Any = getattr(open_catalog(patient.ctx.settings), "engine", None)
    if engine is None or engine.dialect.name != "postgresql":
        return {}
    with engine.connect() as connection:
        before = time.time()
        found = float(connection.scalar(text("select extract(epoch from clock_timestamp())")))
        after = time.time()
    return {"the catalog's database": _apart(found, before, after)}


def _apart(moment: float, low: float, high: float) -> float:
    return moment - high if moment > high else min(0.0, moment - low)
