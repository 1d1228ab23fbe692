"""Pages by number: an offset in records, or a count of pages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from dativo_provider.config.shapes.base import Wrong
from dativo_provider.connectors.rest.ahead import in_order
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Ask, Into, Missing
from dativo_provider.errors import SourceUnavailable

__all__ = ["Numbered", "Offset"]


class _Counted(Into):
    rising: ClassVar[bool] = True
    size_param: str = Field(default="", description="Query parameter that receives the size of a page.")
    size: int = Field(ge=1, description="Records of a full page.")
    total: str = Field(default="", description="Path of the total in the answer, which then says where to end.")
    short_page: Literal["goes_on", "ends"] = Field(
        default="goes_on",
        description="Without a `total`: whether a page with fewer records is the last, which saves a request for each "
        "list, or pages go on until one is empty, as an API needs that leaves records out after it has "
        "counted them.",
    )
    behind_last: Literal["empty", "missing"] = Field(
        default="empty",
        description="Without a `total`: what the API answers for a page behind the last, one without records or 404.",
    )
    first: int = Field(default=0, ge=0, description="Number of the first page or record.")
    at_once: int = Field(
        default=1, ge=1, le=16,
        description="Pages of a list with a `total` asked for at once. Only where new and changed records come last, "
        "as in a list that ascends by id: in others a page may miss a record that moved meanwhile.",
    )  # fmt: skip

    @model_validator(mode="after")
    def _counted(self) -> _Counted:
        if self.at_once > 1 and not self.total:
            raise Wrong("asks for pages at once without knowing how many there are", "give the path of the `total`")
        return self

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = self._ask(ask, self.first)
        yield page
        number, total = self._next(page, self.first), self._told(page)
        if self.at_once > 1 and total is not None and number == self.first + self._width:
            number = yield from self._beside(ask, number, total)
        while number is not None:
            try:
                page = self._ask(ask, number)
            except Missing as error:
                if total is None and self.behind_last == "missing":
                    return
                remedy = "write `behind_last: missing` into `paginate` if the API has no page behind its last"
                raise Missing(error.message, where=error.where, remedy=remedy) from error
            yield page
            number = self._next(page, number)

    def _beside(self, ask: Ask, number: int, total: int) -> Generator[Page, None, int | None]:
        """Pages from `number` on, until one shows that the list is not what the first page said: those asked for
        before it was seen are not taken. Returns the number after the last, if there is one."""
        numbers = range(number, self.first + total, self._width)
        with closing(in_order(partial(self._ask, ask), numbers, self.at_once)) as pages:
            for page in pages:
                yield page
                following = self._next(page, number)
                if following != number + self._width or self._told(page) != total:
                    return following
                number = following
        return number

    def _ask(self, ask: Ask, number: int) -> Page:
        more: dict[str, Any] = {self.size_param: self.size} if self.size_param else {}
        return self.ask_with(ask, number, **more)

    def _told(self, page: Page) -> int | None:
        found = at(page.data, self.total) if self.total else None
        return None if found is None else int(found)

    def _next(self, page: Page, number: int) -> int | None:
        """The number after `number`, which gave `page`; None after the last."""
        following, total = number + self._step(page), self._told(page)
        if self._is_last(page) if total is None else following >= self.first + total:
            return None
        if following == number:  # a server may give fewer than it was asked for, and still have more; but not none
            raise SourceUnavailable(
                f"an empty page came before all of the '{self.total}' that the API counts", where=page.url,
                remedy="run again; if it stays, the API ends its pages early: take another paginator, or ask for less",
            )  # fmt: skip
        return following

    def _is_last(self, page: Page) -> bool:
        return not page.records or (self.short_page == "ends" and len(page.records) < self.size)

    @property
    @abstractmethod
    def _width(self) -> int:
        """What full pages add to the number."""

    @abstractmethod
    def _step(self, page: Page) -> int:
        """What to add to the number for the next page."""


class Offset(_Counted):
    """The number of records to leave out asks for the next page."""

    type: Literal["offset"] = "offset"

    @property
    def _width(self) -> int:
        return self.size

    def _step(self, page: Page) -> int:
        return len(page.records)


class Numbered(_Counted):
    """The number of the page asks for it. `total` counts pages."""

    type: Literal["page"] = "page"
    first: int = Field(default=1, ge=0, description="Number of the first page.")

    @property
    def _width(self) -> int:
        return 1

    def _step(self, page: Page) -> int:
        return 1
