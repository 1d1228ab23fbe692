"""The ports through which the engine touches its surroundings; operators and the CLI fill them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any, Protocol

from dativo_provider.errors import Cancelled, CredentialError
from dativo_provider.model.kept import Kept
from dativo_provider.model.settings import Settings
from dativo_provider.vocabulary import EventType

__all__ = [
    "Connection",
    "Connections",
    "Metrics",
    "NoConnections",
    "NoMetrics",
    "NoSecrets",
    "RunContext",
    "Secrets",
]


@dataclass(frozen=True)
class Connection:
    """An Airflow connection, without Airflow."""

    conn_type: str = ""
    host: str = ""
    port: int | None = None
    login: str = ""
    password: str = field(default="", repr=False)
    schema: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


class Secrets(Protocol):
    def get(self, tenant: str, name: str) -> str:
        """The secret's value. Raises `CredentialError` naming where it was looked for."""

    def put(self, tenant: str, name: str, value: str) -> None:
        """Replaces it where it was found. Raises `CredentialError` where that cannot be."""

    def prove(self, tenant: str, name: str) -> None:
        """Raises what `put` would raise, and leaves the value that is there, whoever wrote it last."""


class Connections(Protocol):
    def get(self, connection_id: str) -> Connection:
        """Raises `CredentialError` when there is none."""


class Metrics(Protocol):
    def incr(self, name: str, value: float = 1, tags: Mapping[str, str] | None = None) -> None: ...
    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None: ...
    def timing(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None: ...


class NoSecrets:
    def get(self, tenant: str, name: str) -> str:
        raise CredentialError(f"secret '{name}' of tenant '{tenant}' is not available: no provider is set")

    def put(self, tenant: str, name: str, value: str) -> None:
        raise CredentialError(f"secret '{name}' of tenant '{tenant}' cannot be written: no provider is set")

    def prove(self, tenant: str, name: str) -> None:
        self.put(tenant, name, "")


class NoConnections:
    def get(self, connection_id: str) -> Connection:
        raise CredentialError(f"connection '{connection_id}' is not available here", remedy="run inside Airflow")


class NoMetrics:
    def incr(self, name: str, value: float = 1, tags: Mapping[str, str] | None = None) -> None: ...
    def gauge(self, name: str, value: float, tags: Mapping[str, str] | None = None) -> None: ...
    def timing(self, name: str, seconds: float, tags: Mapping[str, str] | None = None) -> None: ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class RunContext:
    """One process's view of its surroundings during one step. `variables` are the environment values that
    `${VAR}` may see; `on_cancel` callbacks end source queries when the run is cancelled."""

    settings: Settings
    secrets: Secrets = field(default_factory=NoSecrets)
    connections: Connections = field(default_factory=NoConnections)
    metrics: Metrics = field(default_factory=NoMetrics)
    variables: Mapping[str, str] = field(default_factory=dict)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("dativo"))
    now: Callable[[], datetime] = _utc_now
    cancelled: Event = field(default_factory=Event)
    on_cancel: list[Callable[[], None]] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)  # tenant, job, run, stream: on every event and metric
    airflow: Mapping[str, Any] = field(default_factory=dict)  # the task's own context, for Airflow's notifiers
    progress: Callable[[int, int], None] | None = None  # rows, bytes of the batch just done
    kept: Kept = field(default_factory=Kept)  # shared by every step this process runs; close it after the last

    def event(self, kind: EventType, message: str, level: int = logging.INFO, **facts: Any) -> None:
        """A structured log line; `facts` are counts and names, never row values."""
        extra = {"event_type": kind, "labels": dict(self.labels), "facts": facts}
        self.log.log(level, message, extra=extra, stacklevel=2)  # the line is the caller's

    def cancel(self) -> None:
        self.cancelled.set()
        for callback in list(self.on_cancel):
            callback()

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled("the run was cancelled", remedy="start it again when ready; nothing was published")
