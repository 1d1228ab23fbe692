"""Secrets that stand in a job file itself, where version control keeps them for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dativo_provider.config.making import Making
from dativo_provider.config.yamlpos import Key

__all__ = ["check_cleartext"]

_BLOCKS = (("source", "connection"), ("source", "credentials"), ("source", "dsn"), ("target", "connection"))
_SECRET_KEY = re.compile(
    r"(passw(or)?d|passphrase|pwd|secret|token|(api|private|access|account)_?key)s?$", re.IGNORECASE
)
_URL_PASSWORD = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


def check_cleartext(making: Making) -> None:
    """An error where the job could run: plans are kept beside the tables and must hold references only."""
    for side, block in _BLOCKS:
        given = making.data.get(side)
        for keys in _cleartext(given.get(block), (side, block)) if isinstance(given, Mapping) else ():
            making.judge(
                keys, "a secret stands in the file", "write ${SECRET:NAME} or ${VARIABLE} instead", value=False
            )


def _cleartext(value: Any, keys: tuple[Key, ...]) -> Iterator[tuple[Key, ...]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _cleartext(inner, (*keys, key))
    elif isinstance(value, str) and value and "${" not in value and _is_secret(str(keys[-1]), value):
        yield keys


def _is_secret(key: str, value: str) -> bool:
    return bool(_SECRET_KEY.search(key) or _URL_PASSWORD.search(value))
