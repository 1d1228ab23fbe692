"""Dataset checks, kind by kind: a leaf with an `EVALUATOR`, and one entry of `EVALUATORS`."""

from __future__ import annotations

from collections.abc import Mapping

from dativo_provider.quality.metrics import (
    aggregate,
    anomaly,
    change,
    distribution,
    failed_rows,
    freshness,
    reference,
    row_count,
    schema,
    sql,
    text,
    uniqueness,
)
from dativo_provider.quality.metrics.base import Evaluator

__all__ = ["EVALUATORS"]

EVALUATORS: Mapping[str, Evaluator] = {
    "aggregate": aggregate.EVALUATOR,
    "anomaly": anomaly.EVALUATOR,
    "change": change.EVALUATOR,
    "distribution": distribution.EVALUATOR,
    "failed_rows": failed_rows.EVALUATOR,
    "freshness": freshness.EVALUATOR,
    "reference": reference.EVALUATOR,
    "row_count": row_count.EVALUATOR,
    "schema": schema.EVALUATOR,
    "sql": sql.EVALUATOR,
    "text": text.EVALUATOR,
    "uniqueness": uniqueness.EVALUATOR,
}
