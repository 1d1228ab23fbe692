"""A reader that does one thing wrong at a time: the suite must notice each of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from dativo_provider.connectors.base import Tally
from dativo_provider.errors import InternalError
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import Cursor, Field, ReadResult, Slice, Stream, Window, WindowRequest
from tests.conformance.readers import FIELDS
from tests.conformance.toys import ChangeReader, ChangeWorld, _as_batch

__all__ = ["FLAWS", "HostileReader", "HostileWorld"]

# What it does wrong → the test of the suite that must fail
FLAWS = {
    "loses the last row": "test_a_full_read_gives_every_row_once",
    "doubles a row": "test_a_full_read_gives_every_row_once",
    "repeats the border": "test_each_run_gives_the_new_rows_only",
    "skips the border": "test_boundary_rows_are_neither_lost_nor_doubled",
    "forgets its cursor": "test_a_second_run_finds_nothing_new",
    "ends early": "test_a_full_read_gives_every_row_once",
    "counts wrongly": "test_the_result_counts_what_was_yielded",
    "says incomplete": "test_the_result_counts_what_was_yielded",
    "fails half-way": "test_a_full_read_gives_every_row_once",
    "overlapping slices": "test_slices_cover_the_window_exactly_once",
    "too many slices": "test_slices_cover_the_window_exactly_once",
    "huge batches": "test_batches_stay_small",
    "numbers as doubles": "test_64_bit_integers_stay_exact",
    "decimals as doubles": "test_decimals_stay_exact",
    "no null": "test_null_and_the_empty_string_stay_two_things",
    "no zone": "test_instants_keep_their_microseconds_and_their_zone",
    "no microseconds": "test_instants_keep_their_microseconds_and_their_zone",
    "ugly names": "test_discover_lists_the_stream_with_its_columns",
    "columns in another order": "test_describe_gives_the_columns_in_the_order_they_are_read",
    "positions too short": "test_positions_and_ops_fit_their_rows",
    "shows its token": "test_check_names_what_is_wrong_by_the_class_of_its_error",
    "lets anybody in": "test_check_names_what_is_wrong_by_the_class_of_its_error",
    "deaf to cancelling": "test_cancelling_ends_a_read_within_five_seconds",
    "result before the end": "test_an_unfinished_read_has_no_complete_result",
    "reads what came later": "test_a_slice_read_twice_gives_the_same_rows",
    "closes once": "test_closing_twice_is_harmless",
    "not JSON": "test_a_full_read_gives_every_row_once",
    "breaks on empty": "test_an_empty_source_gives_no_row_and_is_complete",
    "mangles text": "test_text_survives_whatever_it_holds",
}


class HostileReader(ChangeReader):
    capabilities = replace(ChangeReader.capabilities, sliceable=True, interleaved=False, acknowledges=False)

    @property
    def flaw(self) -> str:
        return str(self.source.connection["flaw"])

    def check(self) -> None:
        token = str(self.source.connection.get("token"))
        if self.flaw == "shows its token" and token != "sesame":
            raise _credential(f"the token is {token}")
        if self.flaw != "lets anybody in":
            super().check()

    def discover(self) -> list[Stream]:
        ugly = tuple(Field(f" {each.name};drop table\n") for each in FIELDS)
        return [Stream("events", ugly if self.flaw == "ugly names" else FIELDS)]

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        window = super().window(stream, request)
        if window.kind == "empty":
            if self.flaw == "breaks on empty":
                raise InternalError("nothing to read")
            if self.flaw != "forgets its cursor":
                return window
        low, high = window.detail.get("low", 0), window.detail.get("high", self.server.last)
        if self.flaw == "repeats the border" and low:
            low -= 1
        if self.flaw == "forgets its cursor":
            low = 0
        detail: dict[str, Any] = {"low": low, "high": high}
        cursor = Cursor({"lsn": high + 1 if self.flaw == "skips the border" else high})
        return replace(window, kind="incremental", detail=detail, cursor=cursor)

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        low, high = window.detail["low"], window.detail["high"]
        count = want + 1 if self.flaw == "too many slices" else max(1, min(want, high - low, 256))
        edges = [low + (high - low) * at // count for at in range(count + 1)]
        overlap = 1 if self.flaw == "overlapping slices" else 0
        late = {"late": object()} if self.flaw == "not JSON" else {}
        return [
            Slice(at, stream.name, {"low": max(low, edges[at] - overlap), "high": edges[at + 1], **late})
            for at in range(count)
        ]

    def read(self, stream: StreamSpec, piece: Slice) -> Iterator[Batch]:
        if self.flaw != "deaf to cancelling":
            yield from super().read(stream, piece)
            return
        tally = Tally()
        yield from self.batches(stream, piece, tally)
        self._result = tally.result()

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        high = self.server.last if self.flaw == "reads what came later" else piece.spec["high"]
        changes = self.server.between(piece.spec["low"], high)
        changes = {
            "loses the last row": changes[:-1],
            "doubles a row": changes[:1] + changes,
            "ends early": changes[: len(changes) // 2],
        }.get(self.flaw, changes)
        step = 5000
        for at in range(0, len(changes), step):
            if self.flaw == "fails half-way" and at + step >= len(changes) and len(changes) > 1:
                raise InternalError("something broke")
            yield self._spoiled(_as_batch(changes[at : at + step]))

    def _spoiled(self, batch: Batch) -> Batch:
        data = batch.data
        if self.flaw == "huge batches":
            blobs = pa.array(["x" * (70 << 20)] + [""] * (len(data) - 1))
            return replace(batch, data=data.append_column("blob", blobs))
        if self.flaw == "columns in another order":
            return replace(batch, data=data.select(data.schema.names[::-1]))
        if self.flaw == "positions too short":
            return replace(batch, positions=pa.array([1], pa.int64()))
        rows = [_SPOIL[self.flaw](each) for each in data.to_pylist()] if self.flaw in _SPOIL else None
        return replace(batch, data=pa.RecordBatch.from_pylist(rows)) if rows else batch

    def result(self) -> ReadResult:
        if self.flaw == "result before the end":
            return ReadResult(0)
        result = super().result()
        if self.flaw == "counts wrongly":
            return replace(result, rows=result.rows + 1)
        return replace(result, complete=self.flaw != "says incomplete")

    def committed(self, cursor: Cursor | None) -> None:
        """Keeps the log, so that what is read twice is there twice."""

    def close(self) -> None:
        if self.flaw == "closes once":
            del self.masker


_SPOIL: dict[str, Any] = {
    "numbers as doubles": lambda row: row | {"id": float(row["id"])},
    "decimals as doubles": lambda row: row | {"amount": None if row["amount"] is None else float(row["amount"])},
    "no null": lambda row: row | {"name": row["name"] or ""},
    "no zone": lambda row: row | {"updated_at": row["updated_at"].replace(hour=0, tzinfo=None)},
    "no microseconds": lambda row: row | {"updated_at": row["updated_at"].replace(microsecond=0)},
    "mangles text": lambda row: row | {"name": (row["name"] or "").strip()},
}


def _credential(text: str) -> Exception:
    from dativo_provider.errors import CredentialError

    return CredentialError(text)


class HostileWorld(ChangeWorld):
    reader = HostileReader
    gigantic, width = 12_000, 8

    def __init__(self, flaw: str = "") -> None:
        super().__init__()
        self.flaw = flaw

    def source(self) -> SourceSpec:
        source = super().source()
        return replace(source, connection={**source.connection, "flaw": self.flaw})

    def broken(self) -> dict[str, Any]:
        return {
            case: (replace(source, connection={**source.connection, "flaw": self.flaw}), error)
            for case, (source, error) in super().broken().items()
        }
