"""The options of a job: those of reading files at all, and the rest, which the format of each file reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from dativo_provider.connectors.files.formats import Asked, Format, format_of
from dativo_provider.connectors.files.formats.base import word
from dativo_provider.errors import DataError, SourceChanged
from dativo_provider.model.batch import Batch, Reject

__all__ = ["Options", "options_of"]

_BROKEN = word("fail", "quarantine")
_DELETED = word("ignore", "refuse", "replace")


@dataclass(frozen=True)
class Options:
    """`on_broken_file: quarantine` keeps the rows before the break and one entry for the rest of the file."""

    of_format: Mapping[str, Any]
    on_broken_file: Literal["fail", "quarantine"] = "fail"
    on_deleted_file: Literal["ignore", "refuse", "replace"] = "ignore"

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
    own = {"on_broken_file": _BROKEN, "on_deleted_file": _DELETED}
    common = {name: own[name](name, value) for name, value in given.items() if name in own}
    rest = {name: value for name, value in given.items() if name not in own and name != "id"}
    return Options({**rest, **({"format": form} if form else {})}, **common)  # type: ignore[arg-type]
