"""Queries. https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select.htm"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from dativo_provider.connectors.rest.moments import show

__all__ = ["Query"]

_LONGEST = 12_000  # bytes in an address; with the headers 16,384 are taken


@dataclass(frozen=True)
class Query:
    """Names are those that describe gave. No order and no limit: they keep Salesforce from cutting the work up."""

    object: str
    fields: Sequence[str]
    cursor: str = ""
    lo: datetime | None = None
    hi: datetime | None = None
    where: str = ""  # a condition of the job's own

    @property
    def text(self) -> str:
        bounds = [(">=", self.lo), ("<", self.hi)]
        said = [f"{self.cursor} {sign} {show(at, 'iso_seconds')}" for sign, at in bounds if self.cursor and at]
        said += [f"({self.where})"] if self.where else []
        where = f" WHERE {' AND '.join(said)}" if said else ""
        return f"SELECT {','.join(self.fields)} FROM {self.object}{where}"

    @property
    def fits_an_address(self) -> bool:
        return len(quote(self.text)) <= _LONGEST
