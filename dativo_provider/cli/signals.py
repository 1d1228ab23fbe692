"""Ctrl-C and SIGTERM cancel the run, which ends the source's query and leaves nothing half done."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dativo_provider.model.context import RunContext

__all__ = ["cancelling"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def cancelling(ctx: RunContext) -> Iterator[None]:
    """The first signal cancels the run; a second one stops the process at once."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        if ctx.cancelled.is_set():
            raise KeyboardInterrupt
        print("dativo: cancelling …", file=sys.stderr)
        ctx.cancel()

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
