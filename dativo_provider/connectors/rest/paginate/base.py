"""What a paginator is: a shape in the spec, and the walk over the pages it describes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol

from pydantic import Field, model_validator

from dativo_provider.config.shapes.base import Shape, Wrong
from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.errors import SourceChanged

__all__ = ["Ask", "Flagged", "Into", "Missing", "Moved", "Paginator", "Told", "lost"]


class Missing(SourceChanged):
    """The API does not know what was asked for (404, 410)."""


class Moved(SourceChanged):
    """The place that a page was asked after is no longer in the list."""


class Ask(Protocol):
    def __call__(
        self,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        url: str = "",
        once: bool = False,
    ) -> Page:
        """The page of the stream's request with `params` and `body` (by dotted path) put over it, or that of `url`.

        `once`: an answer that is lost is not asked for again. Raises `Moved` then.
        """


class Paginator(Shape):
    """`type` is the word the spec says; a leaf adds its own keys.

    `same_request`: each page may be asked for by the same words, so the leaf sees itself when pages go round.
    `rising`: what asks for pages only rises, so they cannot go round, and one may be asked for once more.
    """

    same_request: ClassVar[bool] = False
    rising: ClassVar[bool] = False

    @abstractmethod
    def pages(self, ask: Ask) -> Iterator[Page]:
        """Every page, in order. What `ask` raises ends the walk."""


class Flagged(Paginator):
    """A paginator whose answers may say by a flag that they are the last."""

    more: str = Field(default="", description="Path of a flag that is true while there are more pages.")
    end: str = Field(default="", description="Path of a flag that is true on the last page.")

    def is_last(self, page: Page) -> bool:
        return bool((self.more and not at(page.data, self.more)) or (self.end and at(page.data, self.end)))

    def is_more(self, page: Page) -> bool:
        """Whether the answer itself says that another page follows."""
        return bool(self.more and at(page.data, self.more)) or bool(self.end and at(page.data, self.end) is False)


class Told(Flagged):
    """A paginator whose answers tell what asks for the next page."""

    next: str = Field(default="", description="Dotted path in the answer of what asks for the next page.")
    header: str = Field(default="", description="Instead of `next`: the header of the answer that tells it.")

    @model_validator(mode="after")
    def _told_once(self) -> Told:
        if bool(self.next) == bool(self.header):
            raise Wrong("needs either `next` or `header`", "say where the answer tells what asks for the next page")
        return self

    def following(self, page: Page) -> Any:
        """What is told; None after the last page."""
        said = page.headers.get(self.header.lower()) if self.header else at(page.data, self.next)
        found = None if self.is_last(page) else said or None
        if found is None and self.is_more(page):
            raise lost(page, self.next or f"header {self.header}")
        return found


def lost(page: Page, path: str) -> SourceChanged:
    """The error of an answer that has another page after it and does not say which."""
    return SourceChanged(
        f"the API says that there are more pages, and nothing at '{path}' says where", where=page.url,
        remedy="correct `paginate` in the spec",
    )  # fmt: skip


class Into(Paginator):
    """A paginator that puts one value per page into the request."""

    param: str = Field(default="", description="Query parameter that receives it.")
    body: str = Field(default="", description="Dotted path in the JSON body that receives it.")

    @model_validator(mode="after")
    def _one_place(self) -> Into:
        if bool(self.param) == bool(self.body):
            raise Wrong("needs either `param` or `body`", "name the one place that the API reads")
        return self

    def ask_with(self, ask: Ask, value: Any, *, once: bool = False, **params: Any) -> Page:
        """The page that `value` in its place asks for."""
        if self.param:
            return ask(params={self.param: value, **params}, once=once)
        return ask(params=params, body={self.body: value}, once=once)
