"""A JSON document that holds records: an array, an array at a path of an object, or values one after the other.

It is decoded record by record, so a document of any size is read in the memory of its longest record.
https://docs.python.org/3/library/json.html#json.JSONDecoder.raw_decode
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.connectors.files.formats.base import Asked, Division, Head, Span, lots, options_of, whole
from dativo_provider.connectors.files.formats.records import DECODER, Lines, RecordParser, columns_of, head_of
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Batch

__all__ = ["JsonDocument"]

_STEP = 1 << 20
_SAMPLE, _SAMPLE_BYTES = 1000, 4 << 20
_ROWS = 5000
_GAP = " \t\r\n"
_ENDS = set(",]}") | set(_GAP)
_OPTIONS = {
    "records": lambda _, value: str(value),
    "max_record_mb": whole(1, 1024),
    "batch_size": whole(0, 1 << 31),
    "encoding": lambda _, value: str(value),
}


class JsonDocument:
    """Options: `records`, the dotted path of the array; `encoding`; `max_record_mb`, the longest record (64)."""

    jumps = False

    def __init__(self, options: Mapping[str, Any]) -> None:
        given = options_of("JSON", options, _OPTIONS)
        self._path = tuple(filter(None, given.get("records", "").split(".")))
        self._limit, self._rows = given.get("max_record_mb", 64) << 20, given.get("batch_size") or _ROWS
        self._dialect = Dialect(encoding=given.get("encoding", "utf-8"))

    def head(self, file: BinaryIO, where: str, infer: bool) -> Head:
        return _head(_sample(self._records(file, where)), infer)

    def spans(self, file: BinaryIO, asked: Division) -> list[Span]:
        return []

    def batches(self, file: BinaryIO, asked: Asked, span: Span | None) -> Generator[Batch, None, None]:
        """Positions are the ordinals of the records, from 1."""
        records, at = self._records(file, asked.origin), 1
        sample = _sample(records)
        head = _head(sample, infer=not asked.stream.contract.fields)
        parser = RecordParser(asked, columns_of(head, asked))
        for found in lots(_sized(chain(sample, records)), self._rows, asked.block_bytes):
            yield parser.lines(Lines("\n".join(found).encode(), at))
            at += len(found)

    def _records(self, file: BinaryIO, where: str) -> Iterator[str]:
        """The text of each, on one line."""
        text = TextStream(file, self._dialect, where)
        return _Scanner(text.read, where, self._limit).records(self._path)


def _sized(records: Iterable[str]) -> Iterator[tuple[str, int]]:
    return ((each, len(each)) for each in records)


def _sample(records: Iterator[str]) -> list[str]:
    """The first ones, taken from `records`."""
    return next(lots(_sized(records), _SAMPLE, _SAMPLE_BYTES), [])


def _head(records: list[str], infer: bool) -> Head:
    found = (DECODER.decode(each) for each in records)
    return head_of([each for each in found if isinstance(each, dict)], infer)


class _Scanner:
    """Walks a document from its begin; only the value at hand is in memory. Values are told by their text."""

    def __init__(self, read: Callable[[int], bytes], where: str, limit: int) -> None:
        self._read, self._where, self._limit = read, where, limit
        self._text, self._at, self._ended, self._seen, self._bytes = "", 0, False, 0, b""
        self._decode = json.JSONDecoder(parse_constant=self._no_number).raw_decode

    def records(self, path: tuple[str, ...]) -> Iterator[str]:
        for key in path:
            self._enter(key)
        if self._peek() == "[":
            yield from self._array()
        elif path:
            yield self._value()
        else:
            while self._peek():
                yield self._value()
        if not path and self._peek():
            raise self._broken("something follows the end of the document")

    def _array(self) -> Iterator[str]:
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._expect(",]") == "]":
                return

    def _enter(self, wanted: str) -> None:
        """Go on to the value of the key `wanted`."""
        if self._peek() != "{":
            raise self._broken(f"there is no object that could hold '{wanted}'")
        self._at += 1
        while self._peek() != "}":
            key = json.loads(self._value())
            self._expect(":")
            if key == wanted:
                return
            self._value()
            if self._peek() == ",":
                self._at += 1
        raise DataError(f"the document has no '{wanted}'", where=self._where, remedy="correct options.records")

    def _peek(self) -> str:
        """The next character that says something; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _GAP:
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def _expect(self, signs: str) -> str:
        found = self._peek()
        if not found or found not in signs:
            raise self._broken(f"expected {' or '.join(signs)}, found {found or 'the end'}")
        self._at += 1
        return found

    def _value(self) -> str:
        self._peek()
        while True:
            try:
                _, end = self._decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if isinstance(error, RecursionError) or not self._more():
                    raise self._broken(getattr(error, "msg", None) or "nested too deeply") from None
                continue
            if end == len(self._text) and self._more():  # a number may go on
                continue
            if end < len(self._text) and self._text[end] not in _ENDS and self._text[end] not in ':{["':
                raise self._broken("a value does not end")
            begin, self._at = self._at, end
            text = self._text[begin:end]
            return text.replace("\n", " ").replace("\r", " ") if "\n" in text or "\r" in text else text

    def _more(self) -> bool:
        """Twice the text at hand, without what has been read of it. False at the end."""
        rest = self._text[self._at :]
        if len(rest) > self._limit:
            raise self._broken(f"a record is longer than {self._limit >> 20} MB")
        data = b"" if self._ended else self._read(max(_STEP, len(rest)))
        if not data:
            self._ended = True
            return False
        self._seen += self._at
        self._text, self._at = rest + self._decoded(data), 0
        return True

    def _decoded(self, data: bytes) -> str:
        """Whole characters; the begin of one that is cut waits."""
        data = self._bytes + data
        for cut in range(4):
            try:
                text = data[: len(data) - cut].decode()
            except UnicodeDecodeError as error:
                if error.start < len(data) - 4:
                    raise self._broken("it is not valid UTF-8") from None
                continue
            self._bytes = data[len(data) - cut :]
            return text
        raise self._broken("it is not valid UTF-8")

    def _no_number(self, word: str) -> Any:
        raise ValueError(f"{word} is no number of JSON")

    def _broken(self, why: str) -> DataError:
        at = self._seen + self._at
        return DataError(
            f"the JSON document is broken near character {at}: {why}", where=self._where,
            remedy="deliver the file again; for one record to a line say options.format: jsonl",
        )  # fmt: skip
