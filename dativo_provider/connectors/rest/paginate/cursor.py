"""Each page carries the token of the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.paginate.base import Ask, Flagged, Into

__all__ = ["Cursor"]


class Cursor(Into, Flagged):
    """A token in the answer asks for the next page."""

    type: Literal["cursor"] = "cursor"
    next: str = Field(min_length=1, description="Dotted path of the token in the answer.")

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        yield page
        while (token := self.following(page, self.next)) is not None:
            page = self.ask_with(ask, token)
            yield page
