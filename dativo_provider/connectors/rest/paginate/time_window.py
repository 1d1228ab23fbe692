"""The newest moment of a page is where the next one starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from dativo_provider.connectors.rest.moments import Written, written
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Ask, Flagged, Into
from dativo_provider.errors import SourceChanged

__all__ = ["TimeWindow"]


class TimeWindow(Into, Flagged):
    """Pages ascend by a moment; each starts at the last moment of the one before, whose records it repeats.

    Those are told by `key` and left out once more.
    """

    type: Literal["time_window"] = "time_window"
    field: str = Field(min_length=1, description="Path of the moment in a record.")
    format: Written = Field(default="epoch", description="How the request writes the moment.")
    key: str = Field(default="id", description="Path of what tells records of the same moment apart.")
    size: int = Field(ge=1, description="Records of a full page; without a flag a shorter one is the last.")

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        yield page
        while self._more(page):
            last = self._last(page)
            edge = self._at(page, last)
            page = self.ask_with(ask, last)
            if self._stuck(page, last):
                raise self._too_many(page, last)
            yield replace(page, records=[each for each in page.records if at(each, self.key) not in edge])

    def _more(self, page: Page) -> bool:
        full = not self.is_last(page) if self.more or self.end else len(page.records) >= self.size
        return full and len(page.records) > 0

    def _last(self, page: Page) -> Any:
        return written(at(page.records[-1], self.field), self.format, page.url)

    def _at(self, page: Page, last: Any) -> frozenset[Any]:
        """Keys of the records at the moment `last`: the next page brings them again."""
        return frozenset(at(each, self.key) for each in page.records if self._moment(each, page) == last)

    def _moment(self, record: Any, page: Page) -> Any:
        return written(at(record, self.field), self.format, page.url)

    def _stuck(self, page: Page, last: Any) -> bool:
        return len(page.records) >= self.size and self._last(page) == last

    def _too_many(self, page: Page, last: Any) -> SourceChanged:
        return SourceChanged(
            f"more than {self.size} records have the moment {last}: the API cannot be asked for those after them",
            where=page.url,
            remedy="raise the size of a page, or take a stream that is paged by a token",
        )
