"""Runs one function of the user's over the rows, in an interpreter like ours."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import inspect
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

KEYS = {"passed", "failed", "value", "message"}


class Nonsense(Exception):
    """The function returned something that says nothing."""


def answer(request: dict[str, Any]) -> dict[str, Any]:
    return {"answers": {request["id"]: attempted(request)}}


def attempted(request: dict[str, Any]) -> dict[str, Any]:
    rows = read(request)
    try:
        function = load(request)
        given = function(shaped(function, rows, request["as"]), **request["arguments"])
        return understood(given, rows.num_rows)
    except Nonsense as nonsense:
        return {"outcome": "error", "message": str(nonsense)}
    except BaseException as error:
        return {"outcome": "error", "message": f"the function raised {type(error).__name__}{where(error, request)}"}


def read(request: dict[str, Any]) -> pa.Table:
    if request["where"]:
        from rows import open_rows, quoted

        listed = ", ".join(map(quoted, request["columns"])) or "*"
        return open_rows(request).execute(f"SELECT {listed} FROM staged WHERE ({request['where']})").to_arrow_table()
    import pyarrow.parquet as pq

    return pq.read_table(request["data"], columns=request["columns"] or None, partitioning=None)


def load(request: dict[str, Any]) -> Callable[..., Any]:
    if request["root"]:
        sys.path.insert(0, request["root"])
    if request["module"]:
        module = importlib.import_module(request["module"])
        if request["file"] and not same(module, request["file"]):
            raise Nonsense(f"'{request['module']}' is the name of another module, too: rename the file")
    else:
        spec = importlib.util.spec_from_file_location("checks_of_user", request["file"])
        if spec is None or spec.loader is None:
            raise Nonsense("the file is no module")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    found = getattr(module, request["name"], None)
    if not callable(found):
        raise Nonsense(f"the module has no function '{request['name']}'")
    return found  # type: ignore[no-any-return]


def same(module: Any, file: str) -> bool:
    return os.path.realpath(module.__file__ or "") == os.path.realpath(file)


def shaped(function: Callable[..., Any], rows: pa.Table, asked: str) -> Any:
    if asked not in ("", "arrow", "pandas"):
        raise Nonsense(f"as: '{asked}' is neither arrow nor pandas")
    wanted = asked or ("pandas" if "DataFrame" in annotation(function) else "arrow")
    return rows.to_pandas() if wanted == "pandas" else rows


def annotation(function: Callable[..., Any]) -> str:
    try:
        first = next(iter(inspect.signature(function).parameters.values()))
    except (StopIteration, TypeError, ValueError):
        return ""
    return first.annotation if isinstance(first.annotation, str) else getattr(first.annotation, "__name__", "")


def where(error: BaseException, request: dict[str, Any]) -> str:
    """The line of the user's own code; the error's text may quote values of rows."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if each.filename == request["file"]]
    return f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""


def understood(given: Any, rows: int) -> dict[str, Any]:
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        given = dataclasses.asdict(given)
    if isinstance(given, Mapping):
        return of_mapping(given)
    given = given.item() if getattr(given, "shape", None) == () and hasattr(given, "item") else given
    given = given.as_py() if isinstance(given, pa.Scalar) else given
    if isinstance(given, bool):
        return {"outcome": "passed" if given else "failed"}
    if isinstance(given, (int, float)):
        return {"outcome": "", "value": number(given)}
    return of_mask(given, rows)


def number(value: Any) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Nonsense("the function returned no finite number")
    return value


def of_mapping(given: Mapping[str, Any]) -> dict[str, Any]:
    if not set(given) & {"passed", "failed", "value"} or set(given) - KEYS:
        raise Nonsense(f"a mapping must have some of {', '.join(sorted(KEYS))}, and nothing else")
    passed, failed, value = given.get("passed"), given.get("failed"), given.get("value")
    if passed is not None and not isinstance(passed, bool):
        raise Nonsense("'passed' must be true or false")
    if failed is not None and (isinstance(failed, bool) or not isinstance(failed, int) or failed < 0):
        raise Nonsense("'failed' must be a number of rows")
    decides = failed if value is None else number(value)
    outcome = "" if passed is None else "passed" if passed else "failed"
    return {"outcome": outcome, "value": decides, "failed": failed, "message": str(given.get("message") or "")[:300]}


def of_mask(given: Any, rows: int) -> dict[str, Any]:
    try:
        mask = given if isinstance(given, (pa.Array, pa.ChunkedArray)) else pa.array(given, from_pandas=True)
    except (TypeError, ValueError, pa.ArrowException):
        raise Nonsense(f"the function returned {type(given).__name__}, which is no verdict") from None
    if not pa.types.is_boolean(mask.type) and mask.null_count != len(mask):
        raise Nonsense(f"the function returned {mask.type} values where a mask has true and false")
    if len(mask) != rows:
        raise Nonsense(f"the mask has {len(mask)} values for {rows} rows")
    bad = 0 if mask.null_count == len(mask) else pc.sum(pc.invert(mask)).as_py() or 0
    return {"outcome": "", "value": bad, "failed": bad, "evaluated": rows}
