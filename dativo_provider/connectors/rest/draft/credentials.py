"""What a spec never keeps of a request: values whose names say that they are credentials."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from dativo_provider.connectors.rest.draft.draft import snake

__all__ = ["is_secret", "kept", "left_out"]

_SECRET = re.compile(r"key|token|secret|passw|passphrase|pwd|signature|credential|auth")
_HARMLESS = re.compile(r"author(?!i[sz])|keyword|(sort|page|next|cursor|continuation)_?(key|token)")


def is_secret(name: str) -> bool:
    """Whether a name says so; in doubt it does: `author_id`, `keyword`, `sort_key` and `page_token` do not."""
    plain = re.sub(r"[^a-z0-9]+", "_", snake(name).lower())
    return bool(_SECRET.search(_HARMLESS.sub("", plain)))


def kept(value: Any) -> Any:
    """`value` without the keys of mappings, however deep, that name a credential."""
    if isinstance(value, dict):
        return {key: kept(each) for key, each in value.items() if not is_secret(key)}
    return [kept(each) for each in value] if isinstance(value, list) else value


def left_out(value: Any, path: str = "") -> Iterator[str]:
    """Dotted names of what `kept` leaves out."""
    for key, each in value.items() if isinstance(value, dict) else ():
        here = f"{path}.{key}" if path else str(key)
        if is_secret(key):
            yield here
        else:
            yield from left_out(each, here)
    for each in value if isinstance(value, list) else ():
        yield from left_out(each, path)
