"""Markdown-KV documents, a file each, as rows of their pairs or as one row each."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, BinaryIO

import pyarrow as pa

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.connectors.files.formats.base import Asked, Division, Head, Span, options_of, whole, word
from dativo_provider.connectors.files.markdown import FRONT, Document, Section, parsed
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Batch
from dativo_provider.model.types import to_arrow

__all__ = ["MarkdownKv", "document_id"]

_STEP = 1 << 20
_KV = "struct<key:string,value:string,value_json:string,ord:int>"
_FORMS = {
    "row_per_kv": {
        "doc_id": "string", "section": "string", "key": "string", "value": "string", "value_json": "string",
        "ord": "int", "extracted_at": "timestamptz",
    },
    "document_level": {
        "doc_id": "string", "title": "string", "sections": f"list<struct<section:string,level:int,kv:list<{_KV}>>>",
        "raw_md": "string", "extracted_at": "timestamptz",
    },
}  # fmt: skip
_OPTIONS = {
    "form": word(*_FORMS),
    "max_document_mb": whole(1, 1024),
    "encoding": lambda _, value: str(value),
    "batch_size": whole(0, 1 << 31),
}


class MarkdownKv:
    """Options: `form`, `encoding`, and `max_document_mb`, the longest file (16)."""

    jumps = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = options_of("Markdown-KV", options, _OPTIONS)
        self._form, self._limit = given.get("form", "row_per_kv"), given.get("max_document_mb", 16) << 20
        self._types, self._dialect = _FORMS[self._form], Dialect(encoding=given.get("encoding", "utf-8"))

    def head(self, file: BinaryIO, where: str, infer: bool) -> Head:
        return Head(tuple(self._types), self._types, typed=True)

    def spans(self, file: BinaryIO, asked: Division) -> list[Span]:
        return []

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]:
        """Positions are the lines of the pairs; of a whole document 1."""
        text = self._text(file, asked.origin)
        document = parsed(text)
        rows = _document(document, text) if self._form == "document_level" else list(_pairs(document))
        doc_id = document.id(document_id(asked.origin))
        common = {"doc_id": doc_id, "title": document.title(doc_id), "extracted_at": asked.now}
        names = asked.wanted(list(self._types))
        arrays = [_array([{**common, **row}[name] for _, row in rows], self._types[name]) for name in names]
        data, places = pa.RecordBatch.from_arrays(arrays, names=names), pa.array([at for at, _ in rows], pa.int64())
        if rows:
            yield Batch(asked.stream.name, data, asked.origin, places)

    def _text(self, file: BinaryIO, where: str) -> str:
        stream, parts, size = TextStream(file, self._dialect, where), [], 0
        while data := stream.read(_STEP):
            parts.append(data)
            size += len(data)
            if size > self._limit:
                raise DataError(
                    f"the document is longer than {self._limit >> 20} MB", where=where,
                    remedy="raise the option 'max_document_mb', or leave the file out of the pattern",
                )  # fmt: skip
        try:
            return b"".join(parts).decode()
        except UnicodeDecodeError:
            raise DataError(
                "the document is not valid UTF-8", where=where, remedy="name its encoding in the option 'encoding'"
            ) from None


def document_id(origin: str) -> str:
    """The path below the folder or bucket; two files never have the same, since only `.md` is left out."""
    path = origin.partition("://")[2].partition("/")[2] if "://" in origin else origin
    return str(PurePosixPath(path).with_suffix("")) if path.endswith(".md") else path


def _pairs(document: Document) -> Iterator[tuple[int, dict[str, Any]]]:
    order = 0
    for section in document.sections:
        for pair in section.pairs:
            row = {"section": section.name, "key": pair.key, "value": pair.value, "value_json": pair.as_json}
            yield pair.line, {**row, "ord": order}
            order += 1


def _document(document: Document, text: str) -> list[tuple[int, dict[str, Any]]]:
    sections = [made for each in document.sections if (made := _section(each))]
    return [(1, {"sections": sections, "raw_md": text})] if text.strip() else []


def _section(section: Section) -> dict[str, Any] | None:
    pairs = [pair for pair in section.pairs if (section.name, pair.key) != (FRONT, "title")]
    kv = [
        {"key": pair.key, "value": pair.value, "value_json": pair.as_json, "ord": at} for at, pair in enumerate(pairs)
    ]
    return {"section": section.name, "level": section.level, "kv": kv} if kv else None


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    return pa.array(values, to_arrow(kind))
