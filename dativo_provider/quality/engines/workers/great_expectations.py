"""Runs in Great Expectations' interpreter. Expectations come back by their meta, so each carries its id.

What has no SQL implementation is evaluated over pandas, on the first `PANDAS_ROWS` rows; the answer says so.
"""

from __future__ import annotations

import logging
import os
import re
from typing import Any

os.environ["TQDM_DISABLE"] = "1"

import duckdb_dialect
from rows import open_rows, told, views

PANDAS_ROWS = 100_000
MARK = "dativo"
QUERY = "unexpected_rows_expectation"


def answer(request: dict[str, Any]) -> dict[str, Any]:
    import great_expectations as gx

    logging.disable(logging.CRITICAL)
    con = duckdb_dialect.CONNECTIONS["rows"] = open_rows(request)
    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_sql("sql", connection_string=f"{duckdb_dialect.URL}rows", create_temp_table=False)
    found: dict[str, Any] = {}
    for view, checks in views(con, request["checks"]).items():
        batch = source.add_table_asset(view, table_name=view).add_batch_definition_whole_table("all").get_batch()
        configurations = configured(checks, found)
        answers = validated(gx, batch, configurations)
        left = {name: each for name, each in configurations.items() if lacks_sql(answers.get(name))}
        found |= {name: said(each) for name, each in answers.items() if name not in left}
        found |= on_pandas(gx, context, con, view, left)
    return {"answers": found}


def configured(checks: list[dict[str, Any]], found: dict[str, Any]) -> dict[str, Any]:
    """Expectations by id; those that cannot even be built are answered at once."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    made: dict[str, Any] = {}
    for check in checks:
        native = check["native"]
        try:
            each = ExpectationConfiguration(
                type=native["type"], kwargs=dict(native.get("kwargs") or {}), meta={MARK: check["id"]}
            )
            each.to_domain_obj()
            made[check["id"]] = each
        except Exception as error:
            found[check["id"]] = broken(f"{type(error).__name__}: {' '.join(str(error).split())}")
    return made


def broken(text: str) -> dict[str, Any]:
    return {"outcome": "error", "message": f"Great Expectations: {told(text)}"}


def validated(gx: Any, batch: Any, configurations: dict[str, Any]) -> dict[str, Any]:
    """Results by id, of all together; those that fail so, one by one: a bad one spoils what is computed with it."""
    try:
        found = _validated(gx, batch, list(configurations.values()))
    except Exception:
        found = {}
    for name, each in configurations.items():
        if name not in found or (trouble(found[name]) and len(configurations) > 1):
            found |= _alone(gx, batch, name, each)
    return found


def _alone(gx: Any, batch: Any, name: str, configuration: Any) -> dict[str, Any]:
    try:
        return _validated(gx, batch, [configuration])
    except Exception as error:
        return {name: error}


def _validated(gx: Any, batch: Any, configurations: list[Any]) -> dict[str, Any]:
    if not configurations:
        return {}
    # not add_expectation_configuration(): it drops an earlier one of the same type and column
    suite = gx.ExpectationSuite(name="checks", expectations=[each.to_domain_obj() for each in configurations])
    results = batch.validate(suite, result_format="BASIC").results
    return {each.expectation_config.meta[MARK]: each for each in results}


def trouble(result: Any) -> str:
    """What was raised; empty when nothing was."""
    if isinstance(result, Exception):
        return f"{type(result).__name__}: {result}"
    info = result.exception_info or {}
    parts = [info] if "raised_exception" in info else list(info.values())
    if not any(part.get("raised_exception") for part in parts):
        return ""
    return str(parts[0].get("exception_message") or parts[0].get("exception_traceback") or "an error without words")


def lacks_sql(result: Any) -> bool:
    words = trouble(result) if result is not None else ""
    return bool(re.search(r"No provider found|NotImplementedError|not implemented|get_metric_provider", words))


def said(result: Any, note: str = "") -> dict[str, Any]:
    if words := trouble(result):
        return broken(words)
    facts = result.result or {}
    observed = facts.get("observed_value")
    failed = observed if result.expectation_config.type == QUERY else facts.get("unexpected_count")
    value = observed if isinstance(observed, (int, float)) and not isinstance(observed, bool) else failed
    return {
        "outcome": "passed" if result.success else "failed",
        "value": None if value is None else float(value),
        "failed": failed,
        "evaluated": facts.get("element_count"),
        "message": words_of(facts, value, failed) + note,
    }


def words_of(facts: dict[str, Any], value: Any, failed: Any) -> str:
    if failed is not None and facts.get("element_count") is not None:
        return f"{failed} of {facts['element_count']} rows are unexpected"
    return "" if value is None else f"Great Expectations observed {value:g}"


def on_pandas(gx: Any, context: Any, con: Any, view: str, configurations: dict[str, Any]) -> dict[str, Any]:
    if not configurations:
        return {}
    total = con.execute(f"SELECT count(*) FROM {view}").fetchone()[0]
    wanted = sorted({name for each in configurations.values() for name in columns_of(each.kwargs)})
    listed = ", ".join('"' + name.replace('"', '""') + '"' for name in wanted) or "*"
    try:
        frame = con.execute(f"SELECT {listed} FROM {view} LIMIT {PANDAS_ROWS}").df()
    except Exception as error:
        return dict.fromkeys(configurations, broken(str(error)))
    asset = context.data_sources.add_pandas(f"pandas {view}").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": frame})
    note = f" (with pandas, the first {PANDAS_ROWS} of {total} rows)" if total > PANDAS_ROWS else " (with pandas)"
    return {name: said(each, note) for name, each in validated(gx, batch, configurations).items()}


def columns_of(kwargs: dict[str, Any]) -> list[str]:
    single = [kwargs[key] for key in ("column", "column_A", "column_B") if kwargs.get(key)]
    return [*single, *(kwargs.get("column_list") or ())]
