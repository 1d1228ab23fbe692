from __future__ import annotations

import io
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from dativo_provider.observability.progress import (
    LoggedProgress,
    Progress,
    TerminalProgress,
    amount,
    open_progress,
)
from tests.support import requirement


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_batches_of_several_threads_add_up() -> None:
    progress = Progress()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: progress(10, 100), range(500)))
    assert (progress.rows, progress.bytes) == (5000, 50_000)


@requirement("ERR-08", "CLI-05")
def test_elsewhere_a_log_line_is_written_now_and_then_and_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    with caplog.at_level(logging.INFO), LoggedProgress(logging.getLogger("dativo"), 5.0, clock) as progress:
        for _ in range(10):
            clock.now += 1
            progress(100, 1000)
    seen = [(record.__dict__["event_type"], record.__dict__["facts"]) for record in caplog.records]
    assert seen == [
        ("batch_extracted", {"rows": 500, "bytes": 5000, "rows_per_second": 100}),
        ("batch_extracted", {"rows": 1000, "bytes": 10_000, "rows_per_second": 100}),
        ("extraction_complete", {"rows": 1000, "bytes": 10_000, "rows_per_second": 100}),
    ]


@requirement("ERR-08", "CLI-05")
def test_a_terminal_sees_rows_rate_and_size() -> None:
    stream, clock = Terminal(), Clock()
    with TerminalProgress(stream, "orders", clock) as progress:
        clock.now += 2
        progress(50_000, 3 << 20)
    assert "orders  50,000 rows  25,000 rows/s  3.0 MB" in stream.getvalue()


@requirement("ERR-08", "CLI-05")
def test_the_place_decides_what_is_shown() -> None:
    with open_progress(stream=Terminal()) as shown:
        assert isinstance(shown, TerminalProgress)
    assert isinstance(open_progress(stream=io.StringIO()), LoggedProgress)
    with open_progress(quiet=True, stream=Terminal()) as silent:
        silent(1, 1)
        assert type(silent) is Progress


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KB"), (5 << 30, "5.0 GB"), (2 << 40, "2.0 TB")]
)
def test_amounts_are_readable(size: int, text: str) -> None:
    assert amount(size) == text
