"""What every reader does alike: bounded request retries, counting, cancellation, errors at the room's border.

A leaf fills `batches` (and `check`, `discover`, `describe`, `window`, `slices`), `translate` and `interrupt`.
Each call that reaches the source goes through `request`, or stands under `with self.border():`.
"""

from __future__ import annotations

import logging
import random
from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from dativo_provider.connectors._masking import secret_values
from dativo_provider.errors import (
    Cancelled,
    DativoError,
    InternalError,
    MissingExtra,
    RetryableError,
    SourceUnavailable,
)
from dativo_provider.model.batch import Batch, Unrepresentable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.reader import Reader
from dativo_provider.model.stream import Cursor, ReadResult, Slice
from dativo_provider.observability.masking import Masker
from dativo_provider.observability.metrics import API_REQUESTS

__all__ = ["RECORDS_EXTRACTED", "BaseReader", "RequestRetry", "Tally"]

T = TypeVar("T")
RECORDS_EXTRACTED = "dativo_records_extracted_total"  # rows a reader gave, rejected ones included


@dataclass(frozen=True)
class RequestRetry:
    """Bounds of the retries inside one reader; the run's own retries start after these have given up."""

    attempts: int = 4  # per request
    initial_seconds: float = 0.5
    max_seconds: float = 20.0
    budget_seconds: float = 60.0  # of waiting, for one request

    def delay(self, attempt: int, asked: float | None) -> float:
        """Seconds to wait after failed `attempt` (from 1); `asked` is the source's own Retry-After."""
        if asked is not None:
            return asked + random.uniform(0, 0.1 * self.initial_seconds)
        backoff: float = self.initial_seconds * 2 ** (attempt - 1)
        return random.uniform(0.5, 1) * min(self.max_seconds, backoff)


@dataclass
class Tally:
    """What a read has come to so far. The base counts; the leaf sets `cursor`, `detail`, `complete`."""

    rows: int = 0
    bytes: int = 0
    cursor: Cursor | None = None
    complete: bool = True
    detail: dict[str, Any] = field(default_factory=dict)

    def result(self) -> ReadResult:
        return ReadResult(self.rows, self.bytes, self.cursor, self.complete, dict(self.detail))


class BaseReader(Reader):
    retry: ClassVar[RequestRetry] = RequestRetry()

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self.masker = Masker(secret_values(source.connection))
        self._result: ReadResult | None = None

    # What a leaf fills -------------------------------------------------------------------------------------

    @abstractmethod
    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        """The slice's batches. Returning means everything was read: anything less raises."""

    def translate(self, error: Exception) -> DativoError | None:
        """The error of our tree that a library's exception stands for; None when the leaf does not know it."""
        return None

    def interrupt(self) -> None:
        """End what the source is doing for us. Called from another thread when the run is cancelled."""

    # What the base does ------------------------------------------------------------------------------------

    def read(self, stream: StreamSpec, piece: Slice) -> Iterator[Batch]:
        tally, self._result = Tally(), None
        with self.interruptible(), self.border(), closing(self.batches(stream, piece, tally)) as batches:
            self.ctx.check_cancelled()
            for batch in batches:
                self.ctx.check_cancelled()
                self._count(batch, tally)
                yield batch
            self.ctx.check_cancelled()
        self._result = tally.result()

    def result(self) -> ReadResult:
        if self._result is None:
            raise InternalError(f"the read of '{self.source.connector}' was not finished, so it has no result")
        return self._result

    def request(self, call: Callable[[], T], what: str) -> T:
        """What `call` returns; it is made again after a `RetryableError`, within the budget of `retry`."""
        attempt, waited = 1, 0.0
        while True:
            self.ctx.check_cancelled()
            try:
                return self._once(call)
            except RetryableError as error:
                delay = self.retry.delay(attempt, error.retry_after)
                if attempt >= self.retry.attempts or waited + delay > self.retry.budget_seconds:
                    raise
                self._wait(what, attempt, delay, error)
            attempt, waited = attempt + 1, waited + delay

    def _once(self, call: Callable[[], T]) -> T:
        outcome = "ok"
        try:
            with self.border():
                return call()
        except DativoError as error:
            outcome = error.code
            raise
        finally:
            tags = {"connector_type": self.source.connector, "status_code": outcome}
            self.ctx.metrics.incr(API_REQUESTS, 1, tags)

    @contextmanager
    def border(self) -> Iterator[None]:
        """Whatever is raised inside leaves as an error of our tree, free of the source's secrets."""
        try:
            yield
        except Unrepresentable:
            raise
        except Exception as error:
            ours = self._ours(error)
            if ours is error:
                raise
            raise ours from (None if self._leaks(error) else error)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, cancelling the run calls `interrupt`."""
        self.ctx.on_cancel.append(self._interrupt)
        try:
            yield
        finally:
            self.ctx.on_cancel.remove(self._interrupt)

    def _interrupt(self) -> None:
        try:
            self.interrupt()
        except Exception as error:  # cancelling must reach every other callback too
            self.ctx.log.warning("could not interrupt the source: %s", self.masker.mask(str(error)))

    def _count(self, batch: Batch, tally: Tally) -> None:
        size = batch.data.nbytes
        tally.rows += batch.rows
        tally.bytes += size
        tags = {"tenant_id": self.ctx.labels.get("tenant", ""), "connector_type": self.source.connector}
        self.ctx.metrics.incr(RECORDS_EXTRACTED, batch.rows, tags | {"object_name": batch.stream})
        facts = {"rows": batch.data.num_rows, "rejected": len(batch.rejects), "bytes": size, "total_rows": tally.rows}
        self.ctx.event("batch_extracted", f"{batch.rows} rows of {batch.stream}", logging.DEBUG, **facts)

    def _wait(self, what: str, attempt: int, delay: float, error: RetryableError) -> None:
        facts = {"attempt": attempt, "delay_seconds": round(delay, 2), "error": error.code}
        message = f"{what} failed, trying again in {delay:.1f} s: {error.message}"
        self.ctx.event("retry_attempt", message, logging.WARNING, **facts)
        self.ctx.cancelled.wait(delay)

    def _ours(self, error: Exception) -> DativoError:
        if self.ctx.cancelled.is_set() and not isinstance(error, Cancelled):
            return Cancelled("the run was cancelled", remedy="start it again when ready; nothing was published")
        known = error if isinstance(error, DativoError) else self.translate(error) or self._general(error)
        known.where = known.where or f"source '{self.source.connector}'"
        return self._masked(known) if self._leaks(known) else known

    def _general(self, error: Exception) -> DativoError:
        text = f"{type(error).__name__}: {error}"
        if isinstance(error, ModuleNotFoundError) and self.capabilities.extra:
            return MissingExtra.named(self.capabilities.extra, f"connector '{self.source.connector}'")
        if isinstance(error, (ConnectionError, TimeoutError)):
            return SourceUnavailable(text, remedy="check that the source is up and reachable from this machine")
        return InternalError(text, where=f"connector '{self.source.connector}'", remedy="please report this")

    def _masked(self, error: DativoError) -> DativoError:
        details = {
            key: self.masker.mask(value) if isinstance(value, str) else value for key, value in error.details.items()
        }
        where, remedy = self.masker.mask(error.where), self.masker.mask(error.remedy)
        return type(error)(self.masker.mask(error.message), where=where, remedy=remedy, **details)

    def _leaks(self, error: BaseException | None) -> bool:
        while error is not None:
            text = f"{error} {error.details}" if isinstance(error, DativoError) else str(error)
            if self.masker.mask(text) != text:
                return True
            error = error.__cause__ or error.__context__
        return False
