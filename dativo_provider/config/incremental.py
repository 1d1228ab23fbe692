"""How a stream reads only what is new: strategies in the words of jobs, seconds for readers."""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.config.entries import Entry
from dativo_provider.config.making import Making
from dativo_provider.config.shapes.source import Incremental
from dativo_provider.model.job import IncrementalSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.personal import is_personal
from dativo_provider.model.stream import Field

__all__ = ["incremental", "is_incremental"]

_FILES = ("file_modified_time", "spreadsheet_modified_time")
_IMPLIED = {"updated_at": "updated_at", "created": "created"}
_LOOKBACKS = {"lookback_seconds": 1, "lookback_hours": 3600, "lookback_days": 86400}


def is_incremental(making: Making) -> bool:
    given = making.source.incremental
    return given is not None and given.strategy != "full_refresh"


def incremental(
    making: Making, entry: Entry, fields: Sequence[Field], key: Sequence[str], known: str = ""
) -> IncrementalSpec:
    """`key` identifies a row of the stream; without one, rows read twice would be published twice. `known` is the
    cursor that the source itself names.

    The cursor column of files does not say what is new; with the key it tells rows that were delivered before.
    """
    given = making.source.incremental
    if given is None:
        if entry.cursor_field:
            making.warn(
                (*entry.keys, "cursor_field"), "without `source.incremental` every run reads everything",
                "the cursor serves `from` and `to` only",
            )  # fmt: skip
        return IncrementalSpec(cursor_field=entry.cursor_field)
    strategy = _strategy(making, given)
    lookback = _lookback(making, given)
    cursor = entry.cursor_field or given.cursor_field or known or _IMPLIED.get(strategy, "")
    _check_cursor(making, strategy, cursor, fields)
    if strategy == "full_refresh":
        return IncrementalSpec(cursor_field=cursor)
    _check_lookback(making, key, lookback)
    return IncrementalSpec(
        strategy=strategy,
        cursor_field=cursor,
        lookback_seconds=lookback,
        lag_seconds=60 if given.lag_seconds is None else given.lag_seconds,
    )


def _strategy(making: Making, given: Incremental) -> str:
    keys = ("source", "incremental", "strategy")
    kind = making.connector.kind if making.connector else ""
    if kind == "files" and making.runnable:
        if given.strategy not in ("incremental", "file_modified_time", "full_refresh"):
            making.error(keys, f"files are not read by strategy '{given.strategy}'", "use file_modified_time")
        return "full_refresh" if given.strategy == "full_refresh" else "file_modified_time"
    if kind == "database" and making.runnable and given.strategy in _FILES:
        making.error(keys, f"tables are not read by strategy '{given.strategy}'", "use incremental with a cursor_field")
    return given.strategy


def _lookback(making: Making, given: Incremental) -> int:
    found = [name for name in _LOOKBACKS if getattr(given, name) is not None]
    if len(found) > 1:
        keys = ("source", "incremental", found[1])
        making.error(keys, f"incremental has both {found[0]} and {found[1]}", "keep one of the two", value=False)
    return int(getattr(given, found[0]) * _LOOKBACKS[found[0]]) if found else 0


def _check_cursor(making: Making, strategy: str, cursor: str, fields: Sequence[Field]) -> None:
    keys = ("source", "incremental")
    database = making.connector is not None and making.connector.kind == "database"
    if not cursor and database and strategy not in ("cdc", "full_refresh"):
        making.judge(keys, f"strategy '{strategy}' needs a cursor", "add `cursor_field:`", value=False)
    if any(each.name == cursor and is_personal(each.classification) for each in fields):
        making.error(
            (*keys, "cursor_field"), f"the cursor '{cursor}' holds personal data, which state would keep and show",
            "use another column, or correct its classification",
        )  # fmt: skip


def _check_lookback(making: Making, key: Sequence[str], lookback: int) -> None:
    mode = making.target.write_mode or "append"
    if not lookback or not TRAITS[mode].adds or key:
        return
    given = making.source.incremental
    name = next((each for each in _LOOKBACKS if given and getattr(given, each) is not None), "lookback_days")
    making.judge(
        ("source", "incremental", name), "lookback reads rows again, and without a key they would be published twice",
        "add `source.key`, or primaryKey in the contract",
    )  # fmt: skip
