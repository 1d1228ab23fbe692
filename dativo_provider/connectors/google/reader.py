"""What readers of Google do alike: one login, its limits and its retries for all APIs that they ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dativo_provider.connectors.base import BaseReader, RequestRetry
from dativo_provider.connectors.google.login import Clients
from dativo_provider.connectors.rest.client import Call, Client
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["GoogleReader", "asking"]


class GoogleReader(BaseReader):
    """Retries as the job's limits say; a cancelled run ends every conversation."""

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self.google = Clients(self)

    @property
    def retry(self) -> RequestRetry:  # type: ignore[override]
        return self.google.retry

    def interrupt(self) -> None:
        self.google.interrupt()


def asking(reader: BaseReader, client: Callable[[], Client]) -> Callable[[Call], Any]:
    """Sends a call with the retries of `reader`, and gives what the JSON of the answer says."""

    def ask(call: Call) -> Any:
        return reader.request(lambda: client().send(call).data, f"asking for {call.url.partition(':')[0]}")

    return ask
