"""The text of a document: exported by Drive, or the bytes of a text file.

https://developers.google.com/workspace/drive/api/guides/ref-export-formats - an export has 10 MB at most.
Markdown holds pictures as text, so the plain text of a document may be had where its Markdown is too large.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from dativo_provider.connectors.google.drive.listing import GOOGLE, Item
from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.client import Body, Call

__all__ = ["LASTING", "Text", "text_of"]

LASTING = frozenset({"no text", "large", "encoding"})  # other reasons are refusals, which may end

# What Drive makes of its own documents, the best first.
_EXPORTS: Mapping[str, Sequence[str]] = {
    f"{GOOGLE}document": ("text/markdown", "text/plain"),
    f"{GOOGLE}presentation": ("text/plain",),
}
_HEADERS = {"Accept": "*/*", "Accept-Encoding": "identity"}
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml", "application/x-yaml")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
Begin = Callable[[Call], AbstractContextManager[Body]]


@dataclass(frozen=True)
class Text:
    """`content`, or why there is none; `kind` is what it was exported as."""

    content: str | None = None
    kind: str | None = None
    skipped: str | None = None


def text_of(begin: Begin, item: Item, largest: int) -> Text:
    """One document that Drive does not give, or that is no text, leaves the others alone."""
    if item.mime in _EXPORTS:
        return _exported(begin, item, largest)
    if not item.mime.startswith(_TEXTS):
        return Text(skipped="no text")
    if item.size > largest:
        return Text(skipped="large")
    params = {"alt": "media", "supportsAllDrives": "true"}
    return _fetched(begin, Call(f"/files/{item.id}", params=params, headers=_HEADERS), largest)


def _exported(begin: Begin, item: Item, largest: int) -> Text:
    """In the first form that Drive gives, and that is not too large."""
    found = Text(skipped="no text")
    for kind in _EXPORTS[item.mime]:
        call = Call(f"/files/{item.id}/export", params={"mimeType": kind}, headers=_HEADERS)
        found = _fetched(begin, call, largest)
        if found.content is not None:
            return replace(found, kind=kind)
    return found


def _fetched(begin: Begin, call: Call, largest: int) -> Text:
    try:
        with begin(call) as body:
            data = _whole(body.parts, largest)
    except Missing as error:  # too large to export, or gone since it was listed
        return Text(skipped=error.message)
    if data is None:
        return Text(skipped="large")
    content = _decoded(data)
    return Text(content, skipped=None if content is not None else "encoding")


def _whole(parts: Iterator[bytes], largest: int) -> bytes | None:
    found, size = [], 0
    for part in parts:
        size += len(part)
        if size > largest:
            return None
        found.append(part)
    return b"".join(found)


def _decoded(data: bytes) -> str | None:
    """UTF-8, unless a mark says otherwise; None for what is neither."""
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        return None
