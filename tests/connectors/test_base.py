from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator
from typing import Any

import pyarrow as pa
import pytest

from dativo_provider.connectors._masking import secret_values
from dativo_provider.connectors.base import RECORDS_EXTRACTED, BaseReader, RequestRetry, Tally
from dativo_provider.errors import (
    Cancelled,
    CredentialError,
    DativoError,
    InternalError,
    MissingExtra,
    RateLimited,
    SourceUnavailable,
)
from dativo_provider.model.batch import Batch, Reject, Unrepresentable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Capabilities, Cursor, Slice, Stream, Window, WindowRequest
from dativo_provider.observability.metrics import API_REQUESTS, MemoryMetrics

STREAM = StreamSpec("s", "s", "s", ContractSpec("s"))
PIECE = Slice(0, "s")
PASSWORD = "hunter2-sesame"


class LibraryError(Exception):
    pass


class ScriptedReader(BaseReader):
    """Yields and raises what the test says."""

    capabilities = Capabilities(extra="scripted")
    retry = RequestRetry(attempts=3, initial_seconds=0.001, max_seconds=0.002, budget_seconds=0.5)
    script: list[Any]

    def check(self) -> None: ...
    def discover(self) -> list[Stream]: ...
    def describe(self, stream: StreamSpec) -> Stream: ...
    def window(self, stream: StreamSpec, request: WindowRequest) -> Window: ...
    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]: ...

    def translate(self, error: Exception) -> DativoError | None:
        return SourceUnavailable(f"library says: {error}") if isinstance(error, LibraryError) else None

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step()
                continue
            yield step
        tally.cursor = Cursor({"token": "end"})
        tally.detail["pages"] = len(self.script)


def scripted(*script: Any, ctx: RunContext | None = None, **connection: Any) -> ScriptedReader:
    reader = ScriptedReader(SourceSpec("scripted", connection), ctx or context())
    reader.script = list(script)
    return reader


def context(**parts: Any) -> RunContext:
    return RunContext(Settings(home=""), labels={"tenant": "acme", "job": "j", "stream": "s"}, **parts)


def batch(rows: int, rejects: int = 0) -> Batch:
    data = pa.record_batch({"x": pa.array(range(rows), pa.int64())})
    return Batch("s", data, rejects=tuple(Reject("f", at, "", "") for at in range(rejects)))


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "answer"

    return call


# counting ------------------------------------------------------------------------------------------------------


def test_a_finished_read_is_counted_rejects_included(caplog: pytest.LogCaptureFixture) -> None:
    metrics = MemoryMetrics()
    reader = scripted(batch(3, rejects=2), batch(4), ctx=context(metrics=metrics))
    with caplog.at_level(logging.DEBUG, "dativo"):
        assert len(list(reader.read(STREAM, PIECE))) == 2
    result = reader.result()
    assert (result.rows, result.bytes, result.complete) == (9, 56, True)
    assert (result.cursor, result.detail) == (Cursor({"token": "end"}), {"pages": 2})
    assert metrics.total(RECORDS_EXTRACTED, tenant_id="acme", connector_type="scripted", object_name="s") == 9
    events = [record for record in caplog.records if record.event_type == "batch_extracted"]
    assert [record.facts["total_rows"] for record in events] == [5, 9]


def test_a_read_that_was_not_finished_has_no_result() -> None:
    reader = scripted(batch(3), batch(4))
    with pytest.raises(InternalError, match="not finished"):
        reader.result()
    batches = reader.read(STREAM, PIECE)
    next(batches)
    batches.close()
    with pytest.raises(InternalError, match="not finished"):
        reader.result()
    list(reader.read(STREAM, PIECE))
    assert reader.result().rows == 7


# retries -------------------------------------------------------------------------------------------------------


def test_a_request_is_made_again_after_errors_that_pass(caplog: pytest.LogCaptureFixture) -> None:
    metrics = MemoryMetrics()
    reader = scripted(ctx=context(metrics=metrics))
    with caplog.at_level(logging.WARNING, "dativo"):
        assert reader.request(failing(LibraryError("one"), TimeoutError("two")), "listing") == "answer"
    assert [record.event_type for record in caplog.records] == ["retry_attempt", "retry_attempt"]
    assert "listing failed, trying again in" in caplog.text
    assert metrics.total(API_REQUESTS, status_code="ok") == 1
    assert metrics.total(API_REQUESTS, status_code="CONNECTION_FAILED") == 2


def test_retries_end_after_so_many_attempts() -> None:
    calls = []
    with pytest.raises(SourceUnavailable, match="library says"):
        scripted().request(lambda: calls.append(1) or failing(LibraryError("down"))(), "listing")
    assert len(calls) == 3


def test_other_errors_are_not_retried() -> None:
    calls = []
    with pytest.raises(CredentialError):
        scripted().request(lambda: calls.append(1) or failing(CredentialError("no right"))(), "listing")
    assert len(calls) == 1


def test_the_wait_that_the_source_asks_for_is_kept() -> None:
    started = time.monotonic()
    assert scripted().request(failing(RateLimited("slowly", retry_after=0.2)), "listing") == "answer"
    assert 0.2 <= time.monotonic() - started < 2


def test_a_wait_beyond_the_budget_is_left_to_the_runs_own_retries() -> None:
    with pytest.raises(RateLimited) as caught:
        scripted().request(failing(RateLimited("slowly", retry_after=3600)), "listing")
    assert caught.value.retry_after == 3600


def test_each_request_has_a_budget_of_its_own() -> None:
    """A source that fails now and then over hours gets through; one that asks for too long does not."""
    reader = scripted()
    for _ in range(4):
        assert reader.request(failing(RateLimited("slowly", retry_after=0.2)), "listing") == "answer"
    with pytest.raises(RateLimited):
        reader.request(failing(*[RateLimited("slowly", retry_after=0.3)] * 2), "listing")


def test_delays_grow_with_jitter_up_to_their_limit() -> None:
    retry = RequestRetry(initial_seconds=1, max_seconds=5)
    delays = [[retry.delay(attempt, None) for _ in range(50)] for attempt in (1, 2, 3, 9)]
    assert all(low / 2 <= delay <= low for each, low in zip(delays, (1, 2, 4, 5), strict=True) for delay in each)
    assert len(set(delays[0])) > 1


def test_a_read_is_never_repeated_by_the_reader() -> None:
    reader = scripted(batch(1), LibraryError("cut"))
    with pytest.raises(SourceUnavailable):
        list(reader.read(STREAM, PIECE))


# cancelling ----------------------------------------------------------------------------------------------------


def test_cancelling_interrupts_the_source_and_ends_the_read() -> None:
    ctx, released = context(), threading.Event()
    reader = scripted(batch(1), lambda: released.wait(30), batch(1), ctx=ctx)
    reader.interrupt = released.set  # type: ignore[method-assign]
    batches = reader.read(STREAM, PIECE)
    next(batches)
    threading.Timer(0.1, ctx.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        next(batches)
    assert time.monotonic() - started < 5
    assert ctx.on_cancel == []


def test_what_the_source_raises_when_interrupted_is_shown_as_cancelled() -> None:
    ctx = context()
    reader = scripted(batch(1), ctx.cancel, LibraryError("canceling statement due to user request"), ctx=ctx)
    with pytest.raises(Cancelled):
        list(reader.read(STREAM, PIECE))


def test_an_interrupt_that_fails_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    ctx, reached = context(), []
    reader = scripted(ctx=ctx, password=PASSWORD)
    reader.interrupt = failing(LibraryError(f"no {PASSWORD}"))  # type: ignore[assignment]
    with reader.interruptible():
        ctx.on_cancel.append(lambda: reached.append(True))
        ctx.cancel()
        ctx.on_cancel.pop()
    assert reached == [True]
    assert "could not interrupt" in caplog.text
    assert PASSWORD not in caplog.text


def test_cancelling_ends_a_wait_between_retries() -> None:
    ctx = context()
    reader = scripted(ctx=ctx)
    reader.retry = RequestRetry(budget_seconds=100)  # type: ignore[misc]
    threading.Timer(0.1, ctx.cancel).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        reader.request(failing(RateLimited("slowly", retry_after=60)), "listing")
    assert time.monotonic() - started < 5


# errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (LibraryError("x"), SourceUnavailable),
        (ConnectionResetError("x"), SourceUnavailable),
        (TimeoutError("x"), SourceUnavailable),
        (ModuleNotFoundError("no module scripted_sdk"), MissingExtra),
        (ZeroDivisionError("x"), InternalError),
        (CredentialError("x"), CredentialError),
    ],
)
def test_whatever_is_raised_leaves_as_one_of_ours(raised: Exception, expected: type[DativoError]) -> None:
    with pytest.raises(expected):
        list(scripted(batch(1), raised).read(STREAM, PIECE))


def test_a_value_that_the_typed_parse_cannot_hold_passes_untouched() -> None:
    with pytest.raises(Unrepresentable):
        list(scripted(Unrepresentable(("x",), "too long")).read(STREAM, PIECE))


@pytest.mark.parametrize("raised", [LibraryError, CredentialError, ZeroDivisionError])
def test_no_secret_of_the_source_is_in_an_error(raised: type[Exception]) -> None:
    reader = scripted(raised(f"cannot log in as me:{PASSWORD}@db"), password=PASSWORD)
    with pytest.raises(DativoError) as caught:
        list(reader.read(STREAM, PIECE))
    chain: BaseException | None = caught.value
    while chain is not None:
        assert PASSWORD not in f"{chain} {getattr(chain, 'details', '')}"
        chain = chain.__cause__
    assert caught.value.__suppress_context__


def test_an_error_without_a_secret_keeps_its_cause() -> None:
    with pytest.raises(SourceUnavailable) as caught:
        list(scripted(LibraryError("plain")).read(STREAM, PIECE))
    assert isinstance(caught.value.__cause__, LibraryError)


def test_secrets_are_found_by_their_names_and_inside_urls() -> None:
    connection = {
        "host": "db",
        "password": "one",
        "client_secret": "two",
        "access_key_id": "public",
        "token_url": "https://login",
        "uri": "postgres://me:th%40ree@db/x",
        "options": {"sslpassword": "four", "port": 5},
        "credentials": {"json": {"inner": "five"}, "kind": "six"},
        "conninfo": "host=db password='seven' user=me",
        "odd": "http://[broken",
    }
    assert set(secret_values(connection)) == {"one", "two", "th%40ree", "th@ree", "four", "five", "six", "seven"}
