"""Whom a job tells what: channels by name, with the connections they go through."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from dativo_provider.config.making import Making
from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.shapes.checks import Notification
from dativo_provider.config.shapes.job import NotificationChannel
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.notices import ChannelSpec, NotificationSpec

__all__ = ["TYPES", "Channels"]

TYPES: tuple[str, ...] = ("slack", "email", "pagerduty", "teams", "webhook")  # those that need no declaration
_KINDS = (*TYPES, "airflow")
_SECRET_HOSTS = ("hooks.slack.com",)  # whoever has such a URL may post
_NOTIFICATION: tuple[Key, ...] = ("data_contract", "violation_handling", "notification")


class Channels:
    """The channels of one job: those of `notifications`, and the plain words that name a kind."""

    def __init__(self, making: Making) -> None:
        self._making = making
        self._found: dict[str, ChannelSpec] = {}
        for name, shape in making.job.notifications.items():
            self._declare(name, shape)

    def every(self) -> Iterator[ChannelSpec]:
        yield from self._found.values()

    def _declare(self, name: str, shape: NotificationChannel) -> None:
        keys: tuple[Key, ...] = ("notifications", name)
        kind = shape.type or name
        if kind not in _KINDS:
            self._making.error(keys, f"channel '{name}' has no type", f"add `type:`, one of: {listed(_KINDS)}")
            return
        if (kind == "airflow") != bool(shape.notifier):
            remedy = "write `type: airflow` and `notifier: package.module.Class`, or neither"
            self._making.error(keys, f"channel '{name}' has only one of the type airflow and a notifier", remedy)
            return
        if urlsplit(shape.url).hostname in _SECRET_HOSTS:
            self._making.judge((*keys, "url"), "a secret stands in the file", "write ${SECRET:NAME} instead")
        own = shape.url or shape.notifier
        self._found[name] = ChannelSpec(
            name,
            kind,
            shape.connection_id or ("" if own else self._connection(name)),
            shape.url,
            shape.channel,
            tuple(shape.recipients),
            shape.sender,
            shape.notifier,
            json.dumps(shape.arguments, default=str),
        )

    def _connection(self, name: str) -> str:
        return f"{self._making.tenant.tenant}_{name}"

    def named(self, name: str, keys: Sequence[Key]) -> ChannelSpec | None:
        """As declared, or the kind of that name by the connection `<tenant>_<kind>`."""
        if name not in self._found and name in TYPES:
            self._found[name] = ChannelSpec(name, name, self._connection(name))
        if name not in self._found:
            known = sorted({*self._found, *TYPES})
            hint = did_you_mean(name, known) or f"declare it under `notifications`, or use one of: {listed(known)}"
            self._making.error(keys, f"there is no channel '{name}'", hint)
        return self._found.get(name)

    def notification(self, shape: Notification | None) -> NotificationSpec:
        if shape is None:
            return NotificationSpec()
        found = [self._told(name, shape, number) for number, name in enumerate(shape.channels)]
        mention = shape.mention_on_critical
        return NotificationSpec(
            channels=tuple(each for each in found if each),
            template=shape.template,
            mention="<!channel>" if mention in (True, "true") else "" if mention in (False, "false") else str(mention),
            window_seconds=shape.window,
            quarantine_ui_url=shape.quarantine_ui_url,
        )

    def _told(self, name: str, shape: Notification, number: int) -> ChannelSpec | None:
        keys = (*_NOTIFICATION, "channels", number)
        found = self.named(name, keys)
        return self.addressed(found, shape.recipients, keys) if found else None

    def addressed(self, found: ChannelSpec, recipients: Sequence[str], keys: Sequence[Key]) -> ChannelSpec:
        """With the recipients of whoever uses it, where it is for e-mail."""
        made = replace(found, recipients=tuple(recipients) or found.recipients) if found.type == "email" else found
        if made.type == "email" and not made.recipients:
            self._making.error(keys, f"channel '{found.name}' has no recipients", "list `recipients:`")
        return made
