"""Waiting for what is there now, not for what comes meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from dativo_provider.model.context import RunContext

__all__ = ["outlasting"]


def outlasting(look: Callable[[], dict[Any, Any]], seconds: float, ctx: RunContext) -> list[Any]:
    """Of what is there now, what is still there after `seconds`."""
    deadline = time.monotonic() + seconds
    first = left = look()
    while left and time.monotonic() < deadline:
        ctx.cancelled.wait(0.2)
        ctx.check_cancelled()
        now = look()
        left = {key: row for key, row in now.items() if key in first}
    return list(left.values())
