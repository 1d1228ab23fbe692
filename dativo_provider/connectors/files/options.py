"""The options of a job: those of reading files at all, and the rest, which the format of each file reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pyarrow as pa

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.windows import nanoseconds
from dativo_provider.connectors.files.formats import Asked, Format, format_of
from dativo_provider.connectors.files.formats.base import word
from dativo_provider.connectors.files.reread import marks_of
from dativo_provider.errors import ConfigurationError, DataError, SourceChanged
from dativo_provider.model.batch import Batch, Reject

__all__ = ["Options", "options_of"]


def _moment(name: str, value: Any) -> int:
    if isinstance(value, (str, date)):  # YAML makes dates of what looks like one
        with suppress(ConfigurationError):
            return nanoseconds(str(value)) or 0
    raise ConfigurationError(f"option '{name}' cannot be {value!r}", remedy="give a date or a time, e.g. 2026-01-31")


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(f"option '{name}' cannot be {value!r}", remedy="it is true or false")
    return value


_OWN: dict[str, Callable[[str, Any], Any]] = {
    "on_broken_file": word("fail", "quarantine"),
    "on_deleted_file": word("ignore", "refuse", "replace"),
    "on_changed_options": word("keep", "refuse", "replace"),
    "modified_after": _moment,
    "hive_partitioning": _flag,
}
_SAME_ROWS = _OWN.keys() - {"hive_partitioning"}


@dataclass(frozen=True)
class Options:
    """`on_broken_file: quarantine` keeps the rows before the break and one entry for the rest of the file."""

    of_format: Mapping[str, Any]
    on_broken_file: Literal["fail", "quarantine"] = "fail"
    on_deleted_file: Literal["ignore", "refuse", "replace"] = "ignore"
    on_changed_options: Literal["", "keep", "refuse", "replace"] = ""  # "": as of changed files
    modified_after: int = 0  # nanoseconds since the epoch
    hive_partitioning: bool = False
    marks: Mapping[str, str] = field(default_factory=dict)

    def recent(self, files: Sequence[Found]) -> list[Found]:
        return [file for file in files if file.mtime_ns >= self.modified_after]

    def format(self, path: str) -> Format:
        return format_of(path, self.of_format)

    def tolerates(self, error: DataError) -> bool:
        return self.on_broken_file == "quarantine" and not isinstance(error, SourceChanged)

    def after(self, error: DataError, asked: Asked) -> Batch:
        """What stands for the part of the file behind the break. Raises `error` where that ends the run."""
        if not self.tolerates(error):
            raise error
        reject = Reject(asked.origin, 0, "", f"the rest of the file cannot be read: {error.message}")
        return Batch(asked.stream.name, pa.record_batch({}), asked.origin, pa.array([], pa.int64()), rejects=(reject,))


def options_of(given: Mapping[str, Any], form: str = "") -> Options:
    """`form`: the format of every file. Raises `ConfigurationError`."""
    common = {name: _OWN[name](name, value) for name, value in given.items() if name in _OWN}
    rest = {name: value for name, value in given.items() if name not in _OWN and name != "id"}
    marks = marks_of({name: value for name, value in given.items() if name not in _SAME_ROWS and name != "id"})
    return Options({**rest, **({"format": form} if form else {})}, **common, marks=marks)
