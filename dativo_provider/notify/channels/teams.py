"""Microsoft Teams: an adaptive card to a workflow's webhook.

https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
"""

from __future__ import annotations

from typing import Any

from dativo_provider.model.notices import Message
from dativo_provider.notify.base import Channel

__all__ = ["TeamsChannel"]

_COLOURS = {"error": "Attention", "warning": "Warning", "info": "Default"}


class TeamsChannel(Channel):
    """Its `url`, or an Airflow connection whose password is the webhook's URL."""

    def send(self, message: Message) -> None:
        colour = "Good" if message.resolved else _COLOURS[message.severity]
        lines = [_line(line) for line in message.text.splitlines() if line.strip()]
        title = {**_line(message.title), "weight": "Bolder", "size": "Medium", "color": colour}
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [title, *lines],
        }
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
        self.post(self.address(), {"type": "message", "attachments": [attachment]})


def _line(text: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True}
