"""A GraphQL connection (https://relay.dev/graphql/connections.htm)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from dativo_provider.connectors.rest.page import Page, at
from dativo_provider.connectors.rest.paginate.base import Ask, Paginator, lost
from dativo_provider.errors import ConfigurationError

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
        """Errors come with status 200, and without what was asked for."""
        if errors := at(page.data, "errors"):
            raise ConfigurationError(
                f"the query was refused: {at(errors, '0.message') or 'no reason given'}", where=page.url,
                remedy="correct request.body.query in the spec, or say in `errors` what this answer means",
            )  # fmt: skip
        info = at(page.data, f"{self.connection}.pageInfo", {})
        if not at(info, "hasNextPage"):
            return ""
        if not (token := at(info, "endCursor")):
            raise lost(page, f"{self.connection}.pageInfo.endCursor")
        return str(token)
