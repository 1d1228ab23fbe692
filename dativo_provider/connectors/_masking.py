"""Which values of a connection are secret, so that no error shows them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

__all__ = ["secret_values"]

_SECRET_KEY = re.compile(
    r"(passw(or)?d|passphrase|pwd|secret|token|credential|dsn|(api|private|access|account)_?key)s?$", re.IGNORECASE
)
_ASSIGNED = re.compile(r"(?i)\b(?:password|passwd|pwd|secret|token|api_?key)\s*=\s*('[^']*'|[^\s,;&]+)")


def secret_values(values: Mapping[str, Any]) -> Iterator[str]:
    """Texts under secret-sounding keys, and the passwords inside URLs and DSNs."""
    for key, value in values.items():
        secret = bool(_SECRET_KEY.search(key))
        if isinstance(value, Mapping):
            yield from _leaves(value) if secret else secret_values(value)
        elif isinstance(value, str):
            yield from _inside(value)
            if secret:
                yield value


def _leaves(values: Mapping[str, Any]) -> Iterator[str]:
    for value in values.values():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        elif isinstance(value, str):
            yield value


def _inside(value: str) -> Iterator[str]:
    yield from (found.strip("'") for found in _ASSIGNED.findall(value))
    if "://" not in value:
        return
    try:
        password = urlsplit(value).password
    except ValueError:
        return
    if password:
        yield from {password, unquote(password)}
