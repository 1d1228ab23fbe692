"""Runs in Soda's interpreter. Checks come back by their qualifier, so each gets one of ours."""

from __future__ import annotations

import json
from typing import Any

from rows import open_rows, told, views

SOURCE = "dativo"
OUTCOMES = {"PASSED": "passed", "FAILED": "failed", "WARN": "failed", "EXCLUDED": "skipped"}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    con = open_rows(request)
    found: dict[str, Any] = {}
    for view, checks in views(con, request["checks"]).items():
        columns = [row[0] for row in con.execute(f"DESCRIBE {view}").fetchall()]
        together, trouble = verify(con, view, columns, checks)
        for check in checks:
            answer = together.get(check["id"])
            if answer is None and (trouble or not together) and len(checks) > 1:  # whose fault was it?
                alone, trouble_alone = verify(con, view, columns, [check])
                answer = alone.get(check["id"]) or unevaluated(trouble_alone)
            found[check["id"]] = answer or unevaluated(trouble)
    return {"answers": found}


def unevaluated(trouble: str) -> dict[str, Any]:
    if trouble:
        return {"outcome": "error", "message": f"Soda: {told(trouble)}"}
    return {"outcome": "not_evaluated", "message": "Soda has evaluated nothing: there was no value to look at"}


def verify(con: Any, view: str, columns: list[str], checks: list[dict[str, Any]]) -> tuple[dict[str, Any], str]:
    """Answers by id, and what Soda complains of."""
    from soda_core.common.yaml import ContractYamlSource
    from soda_core.contracts.contract_verification import ContractVerificationSession
    from soda_duckdb.common.data_sources.duckdb_data_source import DuckDBDataSourceImpl

    ids = {f"c{at}": check["id"] for at, check in enumerate(checks)}
    try:
        session = ContractVerificationSession.execute(
            contract_yaml_sources=[ContractYamlSource.from_str(contract(view, columns, checks))],
            data_source_impls=[DuckDBDataSourceImpl.from_existing_cursor(con, SOURCE)],
        )
        results = session.contract_verification_results
        given = [each for verified in results for each in verified.check_results]
        trouble = session.get_errors_str() if session.has_errors else ""
    except Exception as error:
        return {}, f"{type(error).__name__}: {error}"
    made = {ids[each.check.qualifier]: said(each) for each in given if each.outcome.name in OUTCOMES}
    return made, trouble


def contract(view: str, columns: list[str], checks: list[dict[str, Any]]) -> str:
    """As JSON, which is YAML."""
    listed: dict[str, list[Any]] = {name: [] for name in columns}
    of_rows: list[Any] = []
    for at, check in enumerate(checks):
        [(word, body)] = check["native"].items()
        made = {word: {**(body or {}), "qualifier": f"c{at}"}}
        column = next((name for name in columns if name.lower() == check["column"].lower()), "")
        (listed[column] if column and word not in ("row_count", "schema", "freshness") else of_rows).append(made)
    shape = {
        "dataset": f"{SOURCE}/main/{view}",
        "columns": [{"name": name, **({"checks": its} if its else {})} for name, its in listed.items()],
        **({"checks": of_rows} if of_rows else {}),
    }
    return json.dumps(shape)


def said(each: Any) -> dict[str, Any]:
    numbers = each.diagnostic_metric_values or {}
    failed = next((numbers[key] for key in numbers if key in COUNTS), None)
    value = each.threshold_value
    return {
        "outcome": OUTCOMES[each.outcome.name],
        "value": value,
        "failed": failed,
        "evaluated": numbers.get("check_rows_tested"),
        "message": "" if value is None else f"Soda's {each.check.type} is {value:g}",
    }


COUNTS = ("missing_count", "invalid_count", "duplicate_count", "failed_rows_count")
