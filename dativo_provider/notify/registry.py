"""Channels by their word, opened with their secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dativo_provider.config.references import expand
from dativo_provider.model.context import Connection, RunContext
from dativo_provider.model.notices import ChannelSpec
from dativo_provider.notify.base import Channel
from dativo_provider.notify.channels.airflow import AirflowChannel
from dativo_provider.notify.channels.email import EmailChannel
from dativo_provider.notify.channels.pagerduty import PagerDutyChannel
from dativo_provider.notify.channels.slack import SlackChannel
from dativo_provider.notify.channels.teams import TeamsChannel
from dativo_provider.notify.channels.webhook import WebhookChannel
from dativo_provider.observability import MASKER

__all__ = ["CHANNELS", "open_channel"]

CHANNELS: dict[str, type[Channel]] = {
    "slack": SlackChannel,
    "email": EmailChannel,
    "pagerduty": PagerDutyChannel,
    "teams": TeamsChannel,
    "webhook": WebhookChannel,
    "airflow": AirflowChannel,
}


def open_channel(spec: ChannelSpec, tenant: str, allowed: Sequence[str], ctx: RunContext) -> Channel:
    """`allowed` are variables that the tenant may name. Raises `ConfigurationError` or `CredentialError`."""
    given = {"url": spec.url, "arguments": json.loads(spec.arguments)}
    found = expand(given, ctx.variables, allowed, lambda name: ctx.secrets.get(tenant, name))
    url = str(found["url"])
    connection = ctx.connections.get(spec.connection_id) if spec.connection_id else Connection()
    for secret in (url if spec.url != url else "", connection.password):
        MASKER.add(secret)
    return CHANNELS[spec.type](spec, connection, url, found["arguments"], ctx)
