"""Expectations (`native`: `type` and `kwargs`), all in one suite over DuckDB; what it has no SQL for, over pandas.

https://docs.greatexpectations.io/docs/reference/
"""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.envs.recipes import recipe
from dativo_provider.model.checks import CheckSpec
from dativo_provider.quality.engines.base import Answers, Staged, ask_tool
from dativo_provider.quality.metrics.base import Scene

__all__ = ["evaluate"]


def evaluate(checks: Sequence[CheckSpec], scene: Scene, staged: Staged) -> Answers:
    requests = [{"native": check.params.get("native")} for check in checks]
    return ask_tool(recipe("great_expectations"), checks, requests, scene, staged)
