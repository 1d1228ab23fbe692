"""The only task of a job that cannot run: fails with what its author must do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import BaseOperator

from dativo_provider.errors import ConfigurationError, Unsupported

__all__ = ["InvalidJobOperator", "UnsupportedOperator"]


class _RefuseOperator(BaseOperator):  # type: ignore[misc]
    """`message` is shown as it is; nothing in it is rendered."""

    template_fields = ()
    template_ext = ()
    error: type[ConfigurationError] = ConfigurationError

    def __init__(self, *, message: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message = message

    def execute(self, context: Mapping[str, Any]) -> None:
        raise self.error(self.message)


class InvalidJobOperator(_RefuseOperator):
    """The YAML has mistakes."""

    ui_color = "#fce8e6"


class UnsupportedOperator(_RefuseOperator):
    """The YAML is right, but this version cannot execute it."""

    ui_color = "#fef7e0"
    error = Unsupported
