"""A notifier of Airflow or of one of its providers, named by its class.

https://airflow.apache.org/docs/apache-airflow/stable/howto/notifications.html
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from dativo_provider.errors import ConfigurationError, RetryableError
from dativo_provider.model.notices import Message
from dativo_provider.notify.base import Channel

__all__ = ["AirflowChannel"]

_SECONDS = 30.0
_NAME = re.compile(r"\{(\w+)\}")


class AirflowChannel(Channel):
    """Only classes that the operator allows. Its arguments are filled in by us and never rendered as Jinja, which could
    read every connection: `notify` is called, with the task's context and the message under `dativo`."""

    def send(self, message: Message) -> None:
        words = {**message.facts, "title": message.title, "text": message.text, "severity": message.severity}
        made = self._class()(**{name: _filled(value, words) for name, value in self.arguments.items()})
        context = {**self.ctx.airflow, "dativo": {**words, "tenant": message.tenant, "stream": message.stream}}
        _within_time(self.spec.name, made.notify, context)

    def _class(self) -> Any:
        name = self.spec.notifier
        if name not in self.ctx.settings.notifiers:
            raise ConfigurationError(
                f"notifier '{name}' of channel '{self.spec.name}' is not allowed here",
                remedy="the operator adds it to `notifiers` in section [dativo] of airflow.cfg",
            )
        module, _, attribute = name.rpartition(".")
        try:
            return getattr(import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as missing:
            raise ConfigurationError(
                f"there is no notifier '{name}' for channel '{self.spec.name}'",
                remedy="correct its name, or install the provider that has it",
            ) from missing


def _filled(value: Any, words: Mapping[str, str]) -> Any:
    """`{name}` replaced at any depth; braces around anything else stay."""
    if isinstance(value, str):
        return _NAME.sub(lambda match: words.get(match[1], match[0]), value)
    if isinstance(value, dict):
        return {key: _filled(inner, words) for key, inner in value.items()}
    return [_filled(inner, words) for inner in value] if isinstance(value, list) else value


def _within_time(name: str, notify: Any, context: Mapping[str, Any]) -> None:
    """Raises what the notifier raises, and `RetryableError` when it does not come back: its thread is left alone."""
    failed: list[BaseException] = []

    def call() -> None:
        try:
            notify(context)
        except BaseException as problem:
            failed.append(problem)

    thread = threading.Thread(target=call, name=f"notifier {name}", daemon=True)
    thread.start()
    thread.join(_SECONDS)
    if thread.is_alive():
        raise RetryableError(f"the notifier of channel '{name}' did not end within {_SECONDS:g} seconds")
    if failed:
        raise failed[0]
