"""Dativo's channels as a notifier: `on_failure_callback=DativoNotifier(...)` of any DAG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseNotifier

from dativo_provider.errors import RetryableError

__all__ = ["DativoNotifier"]


class DativoNotifier(BaseNotifier):  # type: ignore[misc] # Airflow is untyped here
    """Sends `title` and `text`, both rendered, by a channel of type slack, email, pagerduty, teams or webhook.

    The channel goes by an Airflow connection or a `url`. Raises `RetryableError` when the message did not go.
    """

    template_fields = ("title", "text")

    def __init__(
        self,
        *,
        channel: str = "slack",
        connection_id: str = "",
        url: str = "",
        recipients: Sequence[str] = (),
        title: str = "{{ dag.dag_id }} failed",
        text: str = "",
        severity: str = "error",
    ) -> None:
        super().__init__()
        self.channel, self.connection_id, self.url = channel, connection_id, url
        self.recipients, self.title, self.text, self.severity = tuple(recipients), title, text, severity

    def notify(self, context: Mapping[str, Any]) -> None:
        from dativo_provider.model.notices import ChannelSpec, Message, Notice
        from dativo_provider.notify import send
        from dativo_provider.operators.context import deployment_context

        ctx = deployment_context(None, {})
        notice = Notice("notifier", self.title, self.text, "error" if self.severity == "error" else "warning")
        run = str(getattr(context.get("dag_run"), "run_id", ""))
        message = Message("", "", "", (notice,), self.title, self.text, ctx.now().isoformat(), run)
        spec = ChannelSpec(self.channel, self.channel, self.connection_id, self.url, recipients=self.recipients)
        if not send(message, [spec], (), ctx):
            raise RetryableError(f"channel '{self.channel}' was not told", remedy="see the warning above")
