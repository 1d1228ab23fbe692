"""A rule over the numbers of a run and of those before it, and whom a breach is told."""

from __future__ import annotations

from dataclasses import dataclass

from dativo_provider.model.notices import ChannelSpec
from dativo_provider.vocabulary import Severity

__all__ = ["AlertSpec"]


@dataclass(frozen=True)
class AlertSpec:
    """`condition` is in the language of `config.conditions`; it is breached when it holds."""

    name: str
    condition: str
    channels: tuple[ChannelSpec, ...]
    severity: Severity = "warning"
    window_seconds: int = 86_400
    description: str = ""
    declared_in: str = ""
