"""The answer names the address of the next page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.paginate.base import Ask, Paginator, Told

__all__ = ["LinkHeader", "NextUrl"]


class LinkHeader(Paginator):
    """A `Link` header names the next page (RFC 8288)."""

    type: Literal["link_header"] = "link_header"
    rel: str = Field(default="next", description="Relation of the link.")

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        yield page
        while url := page.links.get(self.rel):
            page = ask(url=url)
            yield page


class NextUrl(Told):
    """The answer holds the address of the next page; a relative one is meant from `base_url`."""

    type: Literal["next_url"] = "next_url"

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        yield page
        while url := self.following(page):
            page = ask(url=str(url))
            yield page
