"""Paginators by the word a spec says."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dativo_provider.connectors.rest.paginate.base import Ask, Paginator
from dativo_provider.connectors.rest.paginate.counted import Numbered, Offset
from dativo_provider.connectors.rest.paginate.cursor import Cursor
from dativo_provider.connectors.rest.paginate.graphql import GraphQL
from dativo_provider.connectors.rest.paginate.links import LinkHeader, NextUrl
from dativo_provider.connectors.rest.paginate.scroll import Scroll
from dativo_provider.connectors.rest.paginate.single import Single
from dativo_provider.connectors.rest.paginate.starting_after import StartingAfter
from dativo_provider.connectors.rest.paginate.time_window import TimeWindow

__all__ = ["AnyPaginator", "Ask", "Paginator", "Single"]

AnyPaginator = Annotated[
    Single | Cursor | StartingAfter | Offset | Numbered | LinkHeader | NextUrl | GraphQL | TimeWindow | Scroll,
    Field(discriminator="type"),
]
