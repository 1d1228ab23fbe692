"""Slack: an incoming webhook, or `chat.postMessage` with a bot's token.

https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import json
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.notices import Message
from dativo_provider.notify.base import Channel

__all__ = ["SlackChannel"]

_WEBHOOKS, _API = "https://hooks.slack.com/services", "https://slack.com/api"
_MOST = 2900  # a section holds 3000 characters


class SlackChannel(Channel):
    """An Airflow connection of type `slack` (bot token) or `slackwebhook`; or the webhook's `url`."""

    def send(self, message: Message) -> None:
        body = _body(message)
        if self.spec.channel:
            body["channel"] = self.spec.channel
        if self.connection.conn_type == "slack" and not self.url:
            self._by_api(body)
        else:
            self.post(self._webhook(), body)

    def _webhook(self) -> str:
        token = self.connection.password
        if token and "://" not in token:
            return f"{self.address(_WEBHOOKS)}/{token.lstrip('/')}" if not self.url else self.url
        return self.address()

    def _by_api(self, body: dict[str, Any]) -> None:
        base = str(self.connection.extra.get("base_url") or self.connection.host or _API).rstrip("/")
        headers = {"Authorization": f"Bearer {self.connection.password}"}
        answer = json.loads(self.post(f"{base}/chat.postMessage", body, headers) or b"{}")
        if not answer.get("ok"):
            raise ConfigurationError(
                f"Slack refused the message of channel '{self.spec.name}': {str(answer.get('error'))[:80]}",
                remedy="invite the bot into the channel, and give its token the scope chat:write",
            )


def _body(message: Message) -> dict[str, Any]:
    mention = f"{message.mention} " if message.mention else ""
    text = _escaped(message.text)
    shown = text if len(text) <= _MOST else text[:_MOST] + " …"
    head = f"{mention}*{_escaped(message.title)}*"
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": head}},
        {"type": "section", "text": {"type": "mrkdwn", "text": shown or " "}},
    ]
    return {"text": f"{mention}{_escaped(message.title)}", "blocks": blocks}


def _escaped(text: str) -> str:
    """What comes from files must not mention anybody. https://docs.slack.dev/messaging/formatting-message-text"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
