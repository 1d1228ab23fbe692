"""Dataset checks, kind by kind: a leaf with an `EVALUATOR`, and one entry of `EVALUATORS`."""

from __future__ import annotations

from collections.abc import Mapping

from dativo_provider.quality.metrics import freshness, row_count, text, uniqueness
from dativo_provider.quality.metrics.base import Evaluator

__all__ = ["EVALUATORS"]

EVALUATORS: Mapping[str, Evaluator] = {
    "freshness": freshness.EVALUATOR,
    "row_count": row_count.EVALUATOR,
    "text": text.EVALUATOR,
    "uniqueness": uniqueness.EVALUATOR,
}
