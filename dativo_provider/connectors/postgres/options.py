"""What `source.options`, and a stream's own `options`, may set."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Literal

from dativo_provider.connectors.database.options import chosen, contract_zone, whole
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import SourceSpec, StreamSpec

__all__ = ["Options", "options_of"]

_CLOCK = chosen("server", "application")
_DURATION = re.compile(r"\d+\s*(ms|s|min|h|d)?")


@dataclass(frozen=True)
class Options:
    """Timeouts are PostgreSQL's spelling (`30s`, `5min`, 0 for none); empty keeps what the role has.

    `threads` 0 lets the size decide. `clock` tells who writes the cursor column: the database's `now()`, or an
    application whose clock may lag, for which `lag_seconds` is always kept. `timezone` is the zone in which a
    cursor without zone is written: by default the contract's for that column, else the earlier of UTC and the server's.
    """

    statement_timeout: str = ""
    lock_timeout: str = "30s"
    threads: int = 0
    batch_size: int = 0  # rows; 0: about 8 MB of text
    min_slice_rows: int = 100_000
    clock: Literal["server", "application"] = "server"
    timezone: str = ""


def options_of(source: SourceSpec, stream: StreamSpec | None = None) -> Options:
    """Keys that are not ours are left to others. Raises `ConfigurationError`."""
    given = {**source.options, **(stream.options if stream else {})}
    given.setdefault("timezone", contract_zone(stream) if stream else "")
    known = {field.name: given[field.name] for field in fields(Options) if given.get(field.name) is not None}
    return Options(**{name: _checked(name, value) for name, value in known.items()})


def _checked(name: str, value: Any) -> Any:
    if name in ("threads", "batch_size", "min_slice_rows"):
        return whole(name, value)
    text = str(value)
    if name.endswith("_timeout") and not _DURATION.fullmatch(text):
        raise ConfigurationError(f"option {name}: '{text}' is not a duration", remedy="write 30s, 5min, or 0 for none")
    return _CLOCK(name, value) if name == "clock" else text
