"""Each page carries the token of the next one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from dativo_provider.connectors.rest.page import Page
from dativo_provider.connectors.rest.paginate.base import Ask, Into, Told

__all__ = ["Cursor"]


class Cursor(Into, Told):
    """A token in the answer asks for the next page."""

    type: Literal["cursor"] = "cursor"

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        yield page
        while (token := self.following(page)) is not None:
            page = self.ask_with(ask, token)
            yield page
