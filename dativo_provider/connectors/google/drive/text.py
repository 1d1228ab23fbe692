"""The text of a document: exported by Drive, or the bytes of a text file.

https://developers.google.com/workspace/drive/api/guides/ref-export-formats - an export has 10 MB at most.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from dativo_provider.connectors.google.drive.listing import GOOGLE, Item
from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.client import Body, Call

__all__ = ["Text", "call_of", "text_of"]

# What Drive makes of its own documents, the best first.
_EXPORTS: Mapping[str, str] = {
    f"{GOOGLE}document": "text/markdown",
    f"{GOOGLE}presentation": "text/plain",
}
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml", "application/x-yaml")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
Begin = Callable[[Call], AbstractContextManager[Body]]


@dataclass(frozen=True)
class Text:
    """`content`, or why there is none; `kind` is what it was exported as."""

    content: str | None = None
    kind: str | None = None
    skipped: str | None = None


def call_of(item: Item) -> Call | None:
    """The request that gives a document's text; None of what has none."""
    headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
    if kind := _EXPORTS.get(item.mime):
        return Call(f"/files/{item.id}/export", params={"mimeType": kind}, headers=headers)
    if item.mime.startswith(_TEXTS):
        return Call(f"/files/{item.id}", params={"alt": "media", "supportsAllDrives": "true"}, headers=headers)
    return None


def text_of(begin: Begin, item: Item, largest: int) -> Text:
    """One document that Drive does not give, or that is no text, leaves the others alone."""
    call = call_of(item)
    if call is None:
        return Text(skipped="no text")
    if item.md5 and item.size > largest:
        return Text(skipped="large")
    try:
        with begin(call) as body:
            data = _whole(body.parts, largest)
    except Missing as error:  # too large to export, or gone since it was listed
        return Text(skipped=error.message)
    if data is None:
        return Text(skipped="large")
    content = _decoded(data)
    return Text(content, _EXPORTS.get(item.mime), None if content is not None else "encoding")


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
