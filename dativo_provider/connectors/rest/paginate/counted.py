"""Pages by number: an offset in records, or a count of pages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Ask, Into
from dativo_provider.errors import SourceUnavailable

__all__ = ["Numbered", "Offset"]


class _Counted(Into):
    size_param: str = Field(default="", description="Query parameter that receives the size of a page.")
    size: int = Field(ge=1, description="Records of a full page; a shorter one is the last.")
    total: str = Field(default="", description="Path of the total in the answer, which then says where to end.")
    first: int = Field(default=0, ge=0, description="Number of the first page or record.")

    def pages(self, ask: Ask) -> Iterator[Page]:
        number, seen = self.first, 0
        while True:
            page = self._ask(ask, number)
            yield page
            seen += len(page.records)
            if self._last(page, number, seen):
                return
            number += self._step(page)

    def _ask(self, ask: Ask, number: int) -> Page:
        more: dict[str, Any] = {self.size_param: self.size} if self.size_param else {}
        return self.ask_with(ask, number, **more)

    def _last(self, page: Page, number: int, seen: int) -> bool:
        total = at(page.data, self.total) if self.total else None
        return self._reached(int(total), number, seen) if total is not None else len(page.records) < self.size

    @abstractmethod
    def _step(self, page: Page) -> int:
        """What to add to the number for the next page."""

    @abstractmethod
    def _reached(self, total: int, number: int, seen: int) -> bool:
        """Whether `number` was the last page of `total`."""


class Offset(_Counted):
    """The number of records to leave out asks for the next page."""

    type: Literal["offset"] = "offset"

    def _step(self, page: Page) -> int:
        """A server may give fewer than it was asked for, and still have more; but it cannot give none."""
        if not page.records:
            raise SourceUnavailable(
                f"an empty page came before all of the '{self.total}' that the API counts", where=page.url,
                remedy="run again; if it stays, the API ends its pages early: take another paginator, or ask for less",
            )  # fmt: skip
        return len(page.records)

    def _reached(self, total: int, number: int, seen: int) -> bool:
        return seen >= total


class Numbered(_Counted):
    """The number of the page asks for it. `total` counts pages."""

    type: Literal["page"] = "page"
    first: int = Field(default=1, ge=0, description="Number of the first page.")

    def _step(self, page: Page) -> int:
        return 1

    def _reached(self, total: int, number: int, seen: int) -> bool:
        return number - self.first + 1 >= total
