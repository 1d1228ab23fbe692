"""Soda's own checks (`native`: a fragment of its contract language that holds one check), all in one contract.

https://docs.soda.io/soda-documentation/reference/contract-language-reference
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dativo_provider.envs.recipes import recipe
from dativo_provider.model.checks import CheckSpec
from dativo_provider.quality.engines.base import Answers, Staged, ask_tool
from dativo_provider.quality.metrics.base import Scene

__all__ = ["evaluate"]


def evaluate(checks: Sequence[CheckSpec], scene: Scene, staged: Staged) -> Answers:
    return ask_tool(recipe("soda"), checks, [_request(check) for check in checks], scene, staged)


def _request(check: CheckSpec) -> Mapping[str, Any]:
    """The one check of the fragment, and the column it stands under."""
    native = check.params["native"]
    for column in native.get("columns") or ():
        return {"native": column["checks"][0], "column": column["name"]}
    return {"native": native["checks"][0], "column": ""}
