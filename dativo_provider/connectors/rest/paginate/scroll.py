"""The API keeps a place in the list, and the same request goes on from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Ask, Into, Moved, lost
from dativo_provider.errors import SourceUnavailable

__all__ = ["Scroll"]

_BEGINNINGS = 8


class Scroll(Into):
    """A token stands for a place that each answer moves on; a page without records ends it.

    An answer that is lost has moved the place all the same. So the list is begun anew then, and what was given before
    is told by `key` and left out.
    """

    same_request: ClassVar[bool] = True
    type: Literal["scroll"] = "scroll"
    next: str = Field(min_length=1, description="Dotted path of the token in the answer.")
    key: str = Field(default="id", description="Path of what tells records apart.")

    def pages(self, ask: Ask) -> Iterator[Page]:
        known: dict[Any, int] = {}  # the beginning in which a record was seen last
        for turn in range(_BEGINNINGS):
            try:
                for page in self._scrolled(ask):
                    yield self._fresh(page, known, turn)
                return
            except Moved as moved:
                last = moved
        raise SourceUnavailable(
            f"the list was begun {_BEGINNINGS} times and never came to its end: {last.message}", where=last.where,
            remedy="run again when the API answers more steadily",
        ) from last  # fmt: skip

    def _scrolled(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        while page.records:
            yield page
            if not (token := at(page.data, self.next)):
                raise lost(page, self.next)
            page = self.ask_with(ask, token, once=True)
        yield page

    def _fresh(self, page: Page, known: dict[Any, int], turn: int) -> Page:
        keys = [at(each, self.key) for each in page.records]
        if keys and all(known.get(key) == turn for key in keys):
            raise SourceUnavailable(
                "the API gave a page whose records it had all given before: its pages go round in a circle",
                where=page.url, remedy="run again later; if it stays, correct `paginate` in the spec",
            )  # fmt: skip
        new = [each for each, key in zip(page.records, keys, strict=True) if key is None or key not in known]
        known.update((key, turn) for key in keys if key is not None)
        return replace(page, records=new)
