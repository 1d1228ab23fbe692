"""PagerDuty Events v2: an incident per check, resolved when it passes again.

https://developer.pagerduty.com/docs/events-api-v2-overview
"""

from __future__ import annotations

from typing import Any

from dativo_provider.model.notices import Message, Notice
from dativo_provider.notify.base import Channel

__all__ = ["PagerDutyChannel"]

_EVENTS = "https://events.pagerduty.com/v2/enqueue"
_SEVERITIES = {"error": "error", "warning": "warning", "info": "info"}


class PagerDutyChannel(Channel):
    """An Airflow connection of type `pagerduty_events`: its password is the integration key."""

    def send(self, message: Message) -> None:
        address = self.url or str(self.connection.extra.get("events_url") or _EVENTS)
        for notice in message.notices:
            self.post(address, self._event(message, notice))

    def _event(self, message: Message, notice: Notice) -> dict[str, Any]:
        event = {
            "routing_key": self.connection.password or str(self.connection.extra.get("routing_key", "")),
            "event_action": "resolve" if notice.resolved else "trigger",
            "dedup_key": message.dedup_key(notice)[:255],
        }
        if notice.resolved:
            return event
        place = ".".join(part for part in (message.tenant, message.job) if part)
        payload = {
            "summary": f"{place} {message.stream}: {notice.title}: {notice.text}"[:1024],
            "source": place,
            "severity": _SEVERITIES[notice.severity],
            "timestamp": message.at,
            "component": message.stream,
            "group": message.tenant,
            "class": notice.key,
            "custom_details": dict(message.facts),
        }
        return {**event, "payload": payload}
