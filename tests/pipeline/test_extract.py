"""Readers that do not keep their word. They are plugged in as any third party's would be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.connectors import registry
from dativo_provider.connectors.csv.reader import CsvReader
from dativo_provider.errors import InternalError, SourceChanged
from dativo_provider.model.batch import Batch, Unrepresentable
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import ReadResult, Slice
from tests.pipeline.build import Bench, ids
from tests.support import requirement


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.csv("a.csv", "1,north,1.00,", "2,north,2.00,")
    return made


def plugged(monkeypatch: pytest.MonkeyPatch, reader: type[CsvReader]) -> None:
    real = registry.ConnectorInfo.load
    monkeypatch.setattr(
        registry.ConnectorInfo, "load", lambda info, role: reader if role == "source" else real(info, role)
    )


@requirement("ING-25")
def test_a_source_that_ends_early_publishes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class EndsEarly(CsvReader):
        def result(self) -> ReadResult:
            return ReadResult(rows=super().result().rows, complete=False)

    plugged(monkeypatch, EndsEarly)
    assert isinstance(bench.run().error, SourceChanged)
    assert bench.rows() == []


@requirement("ING-25")
def test_a_source_that_miscounts_publishes_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Miscounts(CsvReader):
        def result(self) -> ReadResult:
            return ReadResult(rows=super().result().rows + 1)

    plugged(monkeypatch, Miscounts)
    assert isinstance(bench.run().error, InternalError)
    assert bench.rows() == []


@requirement("REG-10")
def test_a_slice_the_typed_parse_cannot_hold_is_read_again_as_text(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    class Strict(CsvReader):
        def read(self, stream: StreamSpec, piece: Slice) -> Iterator[Batch]:
            asked.append(piece.as_text)
            yield from super().read(stream, piece)
            if "amount" not in piece.as_text:
                raise Unrepresentable(("amount",), "too large")

    plugged(monkeypatch, Strict)
    assert bench.run().error is None
    assert asked == [(), ("amount",)]
    assert ids(bench.rows()) == [1, 2]


def test_a_reader_that_cannot_hold_a_value_even_as_text_is_a_bug(bench: Bench, monkeypatch: Any) -> None:
    class Hopeless(CsvReader):
        def read(self, stream: StreamSpec, piece: Slice) -> Iterator[Batch]:
            raise Unrepresentable(("amount",), "no way")
            yield

    plugged(monkeypatch, Hopeless)
    assert isinstance(bench.run().error, InternalError)
