"""What `source.options`, and a stream's own `options`, may set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dativo_provider.connectors.database.options import chosen, contract_zone, seconds, whole
from dativo_provider.model.job import SourceSpec, StreamSpec

__all__ = ["Options", "ZeroDates", "options_of"]

# `reject`: the row is set aside with the value; `null`: no value; `text`: the column is text.
ZeroDates = Literal["reject", "null", "text"]


@dataclass(frozen=True)
class Options:
    """Timeouts are seconds or `30s`, `5min`; 0 is none, and None what the account has.

    `clock` tells who writes the cursor column: the database's `now()`, or an application whose clock may lag, for
    which `lag_seconds` is always kept. `timezone` is the zone in which a cursor without zone is written: by default
    the contract's for that column, else the earlier of UTC and the server's.
    """

    statement_timeout: int | None = None
    lock_timeout: int = 30
    batch_size: int = 0  # rows; 0: about 4 MB
    min_slice_rows: int = 100_000
    clock: Literal["server", "application"] = "server"
    timezone: str = ""
    zero_dates: ZeroDates = "reject"


_READ: Mapping[str, Callable[[str, Any], Any]] = {
    "statement_timeout": seconds, "lock_timeout": seconds, "batch_size": whole, "min_slice_rows": whole,
    "clock": chosen("server", "application"), "timezone": lambda _, value: str(value),
    "zero_dates": chosen("reject", "null", "text"),
}  # fmt: skip


def options_of(source: SourceSpec, stream: StreamSpec | None = None) -> Options:
    """Keys that are not ours are left to others. Raises `ConfigurationError`."""
    given = {**source.options, **(stream.options if stream else {})}
    given.setdefault("timezone", contract_zone(stream) if stream else "")
    known: dict[str, Any] = {
        name: read(name, given[name]) for name, read in _READ.items() if given.get(name) is not None
    }
    return Options(**known)
