"""The last record of a page asks for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from dativo_provider.config.shapes.base import Wrong
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Ask, Into, Moved, lost
from dativo_provider.errors import SourceChanged

__all__ = ["StartingAfter"]


class StartingAfter(Into):
    """A value of the last record (its id) asks for what comes after it."""

    type: Literal["starting_after"] = "starting_after"
    field: str = Field(default="id", description="Path of the value in a record.")
    more: str = Field(default="", description="Path of a flag in the answer that is true while there are more pages.")
    size: int = Field(default=0, ge=0, description="Records of a full page; a shorter one is the last.")

    @model_validator(mode="after")
    def _ends(self) -> StartingAfter:
        if not self.more and not self.size:
            raise Wrong("never ends", "give `more`, or the `size` of a full page")
        return self

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        yield page
        while self._more(page):
            page = self._following(ask, page)
            yield page

    def _following(self, ask: Ask, page: Page) -> Page:
        """Asked after the last record that the API still has: one may be deleted while its page is read."""
        if not page.records:
            raise lost(page, self.field)
        gone: Moved | None = None
        for record in reversed(page.records):
            try:
                return self.ask_with(ask, self._value(record, page.url))
            except Moved as moved:
                gone = gone or moved
        assert gone is not None
        raise gone

    def _more(self, page: Page) -> bool:
        return bool(at(page.data, self.more)) if self.more else len(page.records) >= self.size

    def _value(self, record: object, url: str) -> object:
        value = at(record, self.field)
        if value is None:
            raise SourceChanged(
                f"the last record of a page has no '{self.field}', which asks for the next page",
                where=url,
                remedy="correct paginate.field in the spec",
            )
        return value
