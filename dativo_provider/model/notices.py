"""Messages to people about a stream: what they are told, and by which channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dativo_provider.vocabulary import Severity

__all__ = ["ChannelSpec", "Message", "Notice", "NotificationSpec"]


@dataclass(frozen=True)
class ChannelSpec:
    """`type` is a word of `notify.CHANNELS`. `url` may hold references; `connection_id` names an Airflow connection."""

    name: str
    type: str
    connection_id: str = ""
    url: str = ""
    channel: str = ""  # of Slack
    recipients: tuple[str, ...] = ()
    sender: str = ""
    notifier: str = ""  # of Airflow, by its dotted name
    arguments: str = "{}"  # of that notifier, as JSON; may hold references


@dataclass(frozen=True)
class NotificationSpec:
    """Whom violations are told. Who was told of one hears of it again after `window_seconds` at the earliest."""

    channels: tuple[ChannelSpec, ...] = ()
    template: str = ""
    mention: str = ""  # put before a message that holds an error
    window_seconds: int = 86_400
    quarantine_ui_url: str = ""


@dataclass(frozen=True)
class Notice:
    """One thing that is wrong, or is in order again. `key` is the same in every run; no values of rows, no secrets."""

    key: str
    title: str
    text: str = ""
    severity: Severity = "error"
    resolved: bool = False


@dataclass(frozen=True)
class Message:
    """What one channel is sent at once: notices of one stream, all of them wrong or all resolved."""

    tenant: str
    job: str
    stream: str
    notices: tuple[Notice, ...]
    title: str
    text: str
    at: str  # ISO
    run: str = ""
    mention: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)  # what templates may name

    @property
    def resolved(self) -> bool:
        return all(notice.resolved for notice in self.notices)

    @property
    def severity(self) -> Severity:
        found = {notice.severity for notice in self.notices}
        return "error" if "error" in found else "warning" if "warning" in found else "info"

    def dedup_key(self, notice: Notice) -> str:
        return "/".join(part for part in (self.tenant, self.job, self.stream, notice.key) if part)
