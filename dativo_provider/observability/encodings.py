"""The shapes a secret takes on its way into a text: JSON, `repr`, URLs, base64."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

__all__ = ["forms"]

_LINE = 16  # lines of a multi-line secret that are long enough to be secret themselves
_BASE64 = 8  # shorter runs of base64 occur by chance


def forms(secret: str) -> set[str]:
    """`secret` as it would look in every encoding that logs and libraries produce."""
    found = {secret}
    for part in (secret, *_lines(secret)):
        found.update(_escaped(part), _in_base64(part.encode("utf-8", "surrogatepass")))
    return {form for form in found if form}


def _lines(secret: str) -> Iterator[str]:
    """Lines of a key file; the lines that only say what it is are no secret."""
    if "\n" in secret:
        for line in map(str.strip, secret.splitlines()):
            if len(line) >= _LINE and not line.startswith("-----"):
                yield line


def _escaped(part: str) -> Iterator[str]:
    yield part
    for text in {part, part.strip()}:
        for ascii_only in (True, False):
            once = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
            yield once
            yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]  # JSON inside JSON
        yield repr(text)[1:-1]
        data = text.encode("utf-8", "surrogatepass")
        yield from (quote(data, safe=""), quote(data, safe="/"), quote_plus(data))


def _in_base64(data: bytes) -> Iterator[str]:
    """The characters that are the same whatever stands before and after the secret, at each of the alignments."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode().rstrip("=")
        for before in range(3):
            code = encode(b"\0" * before + data).decode().rstrip("=")
            first = -(-before * 8 // 6)
            last = (before + len(data)) * 8 // 6
            if last - first >= _BASE64:
                yield code[first:last]
