"""Links of tasks in Airflow's web UI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from dativo_provider.operators.base import PlannedOperator

__all__ = ["QualityReportLink"]


class QualityReportLink(BaseOperatorLink):  # type: ignore[misc]
    """The page that `plugin.api` makes of the run. Airflow asks for it once, when the task has ended however it did."""

    name = "Quality report"

    def get_link(self, operator: PlannedOperator, *, ti_key: Any) -> str:
        from airflow.sdk.configuration import conf

        plan = operator.plan if isinstance(operator.plan, str) else ""
        if not plan.endswith("/plan.json"):
            return ""
        base = conf.get("api", "base_url", fallback="").rstrip("/")
        return f"{base}/dativo/reports/{quote(ti_key.dag_id)}/{quote(plan.split('/')[-2])}"
