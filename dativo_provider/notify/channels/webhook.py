"""Any service that takes JSON. With a password in its connection the body is signed: HMAC-SHA256 in
`X-Dativo-Signature`, as `sha256=<hex>`."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import asdict
from typing import Any

from dativo_provider.model.notices import Message
from dativo_provider.notify.base import Channel
from dativo_provider.notify.http import post

__all__ = ["WebhookChannel"]


class WebhookChannel(Channel):
    """Its `url`, or an Airflow connection of type `http`: host, and optionally a password to sign with."""

    def send(self, message: Message) -> None:
        body = json.dumps(_body(message)).encode()
        secret = self.connection.password
        signed = bool(secret) and "://" not in secret
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest() if signed else ""
        headers = {"X-Dativo-Signature": f"sha256={digest}"} if signed else {}
        post(self.address(), body, headers, name=self.spec.name)


def _body(message: Message) -> dict[str, Any]:
    return {
        "event": "resolved" if message.resolved else "firing",
        "severity": message.severity,
        "tenant": message.tenant,
        "job": message.job,
        "stream": message.stream,
        "run": message.run,
        "at": message.at,
        "title": message.title,
        "text": message.text,
        "notices": [{**asdict(notice), "dedup_key": message.dedup_key(notice)} for notice in message.notices],
        **{name: value for name, value in message.facts.items() if name.startswith(("contract_", "quarantine_"))},
    }
