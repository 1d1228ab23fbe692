"""One page holds everything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.paginate.base import Ask, Paginator

__all__ = ["Single"]


class Single(Paginator):
    """The API gives everything in one answer."""

    type: Literal["single"] = "single"

    def pages(self, ask: Ask) -> Iterator[Page]:
        yield ask()
