"""Functions a custom check may name that Dativo brings itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends.base import Draft, refuse

__all__ = ["BUILT_IN"]

_OPTIONS = ("metric", "method", "sigmas")
_METHODS = ("auto", "z_score", "mad", "iqr", "holt_winters")


def _anomaly(rule: Rule, columns: tuple[str, ...], arguments: Mapping[str, Any]) -> Draft:
    """`ml_anomaly_detection`: is this run like those before it? Needs no model, only what earlier runs left."""
    if unknown := [name for name in arguments if name not in _OPTIONS]:
        refuse(rule, f"ml_anomaly_detection has no argument '{unknown[0]}'", f"it has {', '.join(_OPTIONS)}")
    if arguments.get("method", "auto") not in _METHODS:
        refuse(rule, f"method: '{arguments['method']}' is unknown", f"write one of {', '.join(_METHODS)}")
    sigmas = arguments.get("sigmas", 3)
    if isinstance(sigmas, bool) or not isinstance(sigmas, (int, float)) or sigmas <= 0:
        refuse(rule, f"sigmas: {sigmas!r} is no number above 0")
    return Draft("anomaly", columns, dict(arguments), label="ml_anomaly_detection")


BUILT_IN: Mapping[str, Callable[[Rule, tuple[str, ...], Mapping[str, Any]], Draft]] = {"ml_anomaly_detection": _anomaly}
