"""The tasks of a job with `publish: branch`: put the run on its branch, ask a person, do what they say.

Asking is Airflow's own: from 3.3 on the task is parked in the metadata database, and the scheduler ends it in time;
before, it needs a triggerer. https://airflow.apache.org/docs/apache-airflow/stable/tutorial/hitl.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dativo_provider.model.context import RunContext
from dativo_provider.operators.base import PlannedOperator
from dativo_provider.operators.context import run_context
from dativo_provider.operators.publish import PublishOperator

if TYPE_CHECKING:
    from dativo_provider.model.run import Published

__all__ = ["ApproveOperator", "DecidedOperator", "StageOperator"]

APPROVE, REJECT = "Approve", "Reject"
_NOBODY = "nobody, in time"


class StageOperator(PlannedOperator):
    """Puts the run on its branch. Nothing is visible yet, so it tells nobody."""

    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> None:
        from dativo_provider.pipeline.publish import commit

        commit(self.plan, ctx)


class ApproveOperator(HITLOperator):  # type: ignore[misc]
    """Waits for a person, unless nothing waits for them. Nothing a tenant wrote is rendered."""

    template_fields: Sequence[str] = ("plan",)
    template_ext: Sequence[str] = ()
    ui_color = "#fff4ce"

    def __init__(
        self, *, plan: Any, tenant: str, job: str, stream: str, timeout: timedelta, on_timeout: str, **kwargs: Any
    ) -> None:
        super().__init__(
            subject="Publish these rows?",
            options=[APPROVE, REJECT],
            defaults=[REJECT] if on_timeout == "reject" else None,
            response_timeout=timeout,
            **kwargs,
        )
        self.plan, self.labels = plan, {"tenant": tenant, "job": job, "stream": stream}

    def execute(self, context: Mapping[str, Any]) -> Any:
        from dativo_provider.pipeline.approve import outcome_of

        ctx = run_context(context, self.labels)
        try:
            published = outcome_of(self.plan, ctx)
        finally:
            ctx.kept.close()
        if published is None or published.outcome != "waiting":
            return {"chosen_options": [APPROVE], "params_input": {}, "responded_at": datetime.now(UTC)}
        self.body = _question(published, self.plan)
        return super().execute(context)

    def process_trigger_event_error(self, event: dict[str, Any]) -> None:
        if event["error_type"] == "timeout":
            raise AirflowFailException(
                f"nobody has approved or rejected within {self.response_timeout}; the rows still wait on their branch: "
                "clear this task to ask again, or use `dativo approve` or `dativo reject`"
            )
        super().process_trigger_event_error(event)


def _question(published: Published, plan_uri: str) -> str:
    plan_id = plan_uri.split("/")[-2]
    counts = {"added": published.inserted, "changed": published.updated, "removed": published.deleted}
    rows = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    return (
        f"Rows of `{published.table}`: {rows}; {published.quarantined:,} went to quarantine.\n\n"
        f"They wait on the branch `audit_{plan_id}`, where any engine can look at them: "
        f"`dativo query --as-of audit_{plan_id}`."
    )


class DecidedOperator(PublishOperator):
    """Publishes what was approved, or drops it and is skipped. `asked` is the task that asked.

    What the command line has decided meanwhile stands.
    """

    def __init__(self, *, asked: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asked = asked

    def published(self, ctx: RunContext, context: Mapping[str, Any]) -> Published:
        from dativo_provider.pipeline.approve import approve, outcome_of, reject

        before = outcome_of(self.plan, ctx)
        if before is not None and before.outcome in ("committed", "already"):
            return before
        if before is not None and before.outcome == "rejected":
            raise AirflowSkipException(f"this run was rejected by {before.decided_by or 'somebody'}")
        answer = context["ti"].xcom_pull(task_ids=self.asked)
        by = _who(answer)
        if APPROVE in answer["chosen_options"]:
            return approve(self.plan, ctx, by)
        reject(self.plan, ctx, by)
        raise AirflowSkipException(f"rejected by {by}: nothing was published, and the next run reads the rows again")


def _who(answer: Mapping[str, Any]) -> str:
    user = answer.get("responded_by_user") or {}
    return str(user.get("name") or user.get("id") or _NOBODY)
