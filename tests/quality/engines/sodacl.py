"""Runs in the interpreter of Soda 3, the last that reads SodaCL: all cases of a table in one scan."""

from __future__ import annotations

import json
import logging
from typing import Any


def answer(request: dict[str, Any]) -> dict[str, Any]:
    return {"found": {table: scanned(each) for table, each in request["requests"].items()}}


def scanned(request: dict[str, Any]) -> dict[str, Any]:
    import duckdb
    from soda.scan import Scan

    logging.disable(logging.CRITICAL)
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"CREATE VIEW staged AS SELECT * FROM read_parquet('{request['data']}')")
    scan = Scan()
    scan.add_duckdb_connection(con)
    scan.set_data_source_name("duckdb")
    lines = []
    for check in request["checks"]:
        [(line, options)] = check["native"].items()
        lines.append({line: {**(options or {}), "name": check["id"]}})
    scan.add_sodacl_yaml_str(json.dumps({"checks for staged": lines}))
    scan.execute()
    return {result.name: said(result) for result in scan._checks}


OUTCOMES = {"pass": "passed", "fail": "failed", "warn": "failed"}


def said(result: Any) -> dict[str, Any]:
    outcome = None if result.outcome is None else result.outcome.value
    value = getattr(result, "check_value", None)
    return {"outcome": OUTCOMES.get(outcome, "not_evaluated"), "message": f"{outcome} {value}"}
