"""Sends a message by its channels; one that fails is logged and hinders no other."""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.errors import DativoError
from dativo_provider.model.context import RunContext
from dativo_provider.model.notices import ChannelSpec, Message
from dativo_provider.notify.registry import open_channel

__all__ = ["send"]


def send(message: Message, channels: Sequence[ChannelSpec], allowed: Sequence[str], ctx: RunContext) -> int:
    """By how many channels it went. Never raises."""
    went = 0
    for spec in channels:
        try:
            open_channel(spec, message.tenant, allowed, ctx).send(message)
            went += 1
        except Exception as problem:
            said = str(problem) if isinstance(problem, DativoError) else type(problem).__name__
            ctx.log.warning("channel '%s' was not told: %s", spec.name, said)
    return went
