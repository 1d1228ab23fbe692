"""What a write mode needs of a job: a key, an order, partitions; and options that another mode would ignore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dativo_provider.config.incremental import is_incremental
from dativo_provider.config.making import Making
from dativo_provider.config.problems import listed
from dativo_provider.config.streams import known_column
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.job import HistorySpec, PartitionSpec, StreamSpec, TransformSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.vocabulary import WriteMode

__all__ = ["check_made_late", "check_mode", "columns_of_history", "history_of"]

_MOMENTS = ("timestamp", "timestamptz", "date")
_FITS: Mapping[type, tuple[str, ...]] = {bool: ("boolean",), int: ("int", "long"), str: ("string", "uuid")}
# Options that mean something in some modes only.
_OWN: Mapping[str, tuple[WriteMode, ...]] = {
    "order_by": ("merge", "scd2"),
    "delete_flag": ("merge", "scd2"),
    "delete_missing": ("merge", "scd2"),
    "allow_mass_delete": ("merge", "scd2"),
    "replace_by": ("delete_insert",),
    "history": ("scd2",),
}


def history_of(making: Making) -> HistorySpec:
    given = making.target.history
    if given is None:
        return HistorySpec()
    return HistorySpec(given.valid_from, given.valid_to, given.is_current, tuple(given.track))


def columns_of_history(mode: WriteMode, history: HistorySpec) -> Mapping[str, str]:
    """Columns the mode adds to the table, with their types."""
    if not TRAITS[mode].history:
        return {}
    return {history.valid_from: "timestamptz", history.valid_to: "timestamptz", history.is_current: "boolean"}


def check_mode(
    making: Making,
    mode: WriteMode,
    streams: Sequence[StreamSpec],
    partitioning: Sequence[PartitionSpec],
    made: Mapping[str, str],
) -> None:
    """`made` are the columns that transformations add, with their types."""
    _check_options(making, mode)
    _check_replaced(making, mode, streams, partitioning)
    for stream in streams:
        _check_key(making, mode, stream)
        types = {**{field.name: field.type for field in stream.contract.fields}, **made}
        if stream.contract.fields:
            _check_columns(making, mode, types)
            _check_history(making, mode, types)


def _check_options(making: Making, mode: WriteMode) -> None:
    for name, modes in _OWN.items():
        if getattr(making.target, name) and mode not in modes:
            making.error(
                ("target", name), f"'{name}' has no meaning in write_mode '{mode}'",
                f"remove it, or use {' or '.join(modes)}", value=False,
            )  # fmt: skip


def _check_key(making: Making, mode: WriteMode, stream: StreamSpec) -> None:
    if TRAITS[mode].keyed and not stream.identity:
        making.judge(
            ("target", "write_mode"), f"write_mode '{mode}' tells rows by a key, and stream '{stream.name}' has none",
            "add `source.key`, or primaryKey in the contract",
        )  # fmt: skip


def _named(making: Making) -> Iterator[tuple[str, tuple[Key, ...], str]]:
    """Columns the options name: what, where, as what."""
    target = making.target
    if target.order_by:
        yield target.order_by, ("target", "order_by"), "order_by"
    if target.delete_flag:
        yield target.delete_flag.column, ("target", "delete_flag"), "delete_flag"
    for number, column in enumerate(target.history.track if target.history else ()):
        yield column, ("target", "history", "track", number), "tracked column"


def _check_columns(making: Making, mode: WriteMode, types: Mapping[str, str]) -> None:
    for column, keys, what in _named(making):
        known_column(making, column, list(types), keys, what)
    order = types.get(making.target.order_by, "")
    if TRAITS[mode].history and order and order not in _MOMENTS:
        making.error(
            ("target", "order_by"), f"versions begin at '{making.target.order_by}', which is {order}",
            f"name a column of type {listed(_MOMENTS)}, or none: a version then begins when it is first seen",
        )  # fmt: skip
    flag = making.target.delete_flag
    kind = types.get(flag.column, "") if flag else ""
    if flag and kind and kind not in _FITS[type(flag.value)]:
        making.error(
            ("target", "delete_flag"), f"delete_flag '{flag.column}' is {kind} and never {flag.value!r}",
            "write `value:` in the column's type, quoted if it is text",
        )  # fmt: skip


def check_made_late(
    making: Making, mode: WriteMode, streams: Sequence[StreamSpec], transforms: Sequence[TransformSpec]
) -> None:
    """Rows are told apart by their key before what needs the whole run is made: it cannot be the key, nor say which
    row is newer or gone."""
    first = next((at for at, each in enumerate(transforms) if each.windowed), len(transforms))
    late = {each.column: at for at, each in enumerate(transforms) if at >= first}
    for stream in streams if late else ():
        for column, what in _told_by(making, mode, stream).items():
            if column in late:
                making.error(
                    ("transformations", late[column]),
                    f"'{column}' is the {what} of stream '{stream.name}', and is made only once the whole run is read",
                    "make it with an expression that sees its own row only, before the first with OVER, or take "
                    "another column",
                )  # fmt: skip


def _told_by(making: Making, mode: WriteMode, stream: StreamSpec) -> dict[str, str]:
    """Columns by which rows are told apart while they are read, and as what."""
    found: dict[str, str] = {}
    if TRAITS[mode].keyed:
        flag, order = making.target.delete_flag, making.target.order_by or stream.incremental.cursor_field
        found = {order: "order", flag.column if flag else "": "delete_flag"}
    identity = stream.identity if TRAITS[mode].keyed else stream.key
    return {**found, **dict.fromkeys(identity, "key")}


def _check_history(making: Making, mode: WriteMode, types: Mapping[str, str]) -> None:
    added = columns_of_history(mode, history_of(making))
    names = {name.lower() for name in types}
    for name in added:
        if name.lower() in names:
            making.error(
                ("target", "write_mode"), f"write_mode '{mode}' adds a column '{name}', which the contract has already",
                "name the columns it adds in `target.history`",
            )  # fmt: skip


def _check_replaced(
    making: Making, mode: WriteMode, streams: Sequence[StreamSpec], partitioning: Sequence[PartitionSpec]
) -> None:
    """What `delete_insert` replaces must be there: a window of a cursor, or partitions."""
    if mode not in _OWN["replace_by"]:
        return
    if untimed := [each.name for each in streams if is_incremental(making) and _is_untimed(making, each)]:
        making.judge(
            ("target", "write_mode"),
            f"later runs of '{untimed[0]}' bring what has changed, which is no window of a column to replace",
            "use merge, or read it in full: `source.incremental.strategy: full_refresh`",
        )  # fmt: skip
    windows = is_incremental(making) and making.connector is not None and making.connector.kind != "files"
    by = making.target.replace_by or ("window" if windows else "partition")
    if by == "window" and not windows:
        making.judge(
            ("target", "replace_by"), "there is no window of a cursor to replace",
            "add `source.incremental` with a cursor_field, or replace by partition",
        )  # fmt: skip
    if by == "partition" and not partitioning:
        making.judge(
            ("target", "write_mode"), "delete_insert replaces partitions, and the table has none",
            "add `target.partitioning`, or `source.incremental` with a cursor_field",
        )  # fmt: skip


def _is_untimed(making: Making, stream: StreamSpec) -> bool:
    """Whether the API tells changes by its own position, by events, or by what the record hangs on."""
    told = making.apis.get(stream.object or stream.name)
    return told is not None and not told.cursor
