"""A GraphQL connection (https://relay.dev/graphql/connections.htm)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Ask, Paginator

__all__ = ["GraphQL"]


class GraphQL(Paginator):
    """`pageInfo` of a connection says whether there is more, and its `endCursor` goes into the variables."""

    type: Literal["graphql"] = "graphql"
    connection: str = Field(min_length=1, description="Path of the connection in the answer: `data.issues`.")
    variable: str = Field(default="after", description="Variable of the query that receives the cursor.")

    def pages(self, ask: Ask) -> Iterator[Page]:
        page = ask()
        yield page
        while token := self._next(page):
            page = ask(body={f"variables.{self.variable}": token})
            yield page

    def _next(self, page: Page) -> str:
        info = at(page.data, f"{self.connection}.pageInfo", {})
        return str(at(info, "endCursor") or "") if at(info, "hasNextPage") else ""
