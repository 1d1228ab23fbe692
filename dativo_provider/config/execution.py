"""`execution` of an engine's checks: how long the engine may take."""

from __future__ import annotations

from typing import Any

from dativo_provider.config.layers import Findings, Located
from dativo_provider.config.yamlpos import Key

__all__ = ["timeout_of"]

_WRITE = "write `execution: {timeout_seconds: 300}`"


def timeout_of(group: Any, at: Located, path: tuple[Key, ...], findings: Findings) -> float:
    """Seconds; 0 where nothing is said. Other keys of `execution` are told to have no meaning here."""
    given = group.get("execution") if isinstance(group, dict) else None
    if given is None:
        return 0.0
    path = (*path, "execution")
    if not isinstance(given, dict):
        findings.error(at, path, "execution is no mapping of keys", _WRITE)
        return 0.0
    for key in given.keys() - {"timeout_seconds"}:
        findings.warn(
            at, (*path, key), f"'{key}' has no meaning here", "leave it out: one process asks all checks", value=False
        )
    seconds = given.get("timeout_seconds", 0.0)
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if "timeout_seconds" in given and not (number and 0 < seconds < float("inf")):
        findings.error(at, (*path, "timeout_seconds"), "timeout_seconds is no number of seconds", _WRITE)
        return 0.0
    return float(seconds)
