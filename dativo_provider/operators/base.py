"""What every step's operator does alike: build the context, call the step, pass on a kill."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseOperator

from dativo_provider.errors import ContractViolation, DativoError
from dativo_provider.model.context import RunContext
from dativo_provider.operators.context import run_context

__all__ = ["PlannedOperator", "StepOperator"]


class StepOperator(BaseOperator):  # type: ignore[misc]
    """One step of one stream. `tenant`, `job` and `stream` are labels for logs and metrics.

    Nothing a tenant wrote is ever rendered: `template_fields` holds only what the factory wires up.
    """

    template_fields: Sequence[str] = ()
    template_ext: Sequence[str] = ()
    ui_color = "#e8f0fe"
    _ctx: RunContext | None = None
    _killed: bool = False

    def __init__(self, *, tenant: str, job: str, stream: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant, self.job, self.stream = tenant, job, stream

    def execute(self, context: Mapping[str, Any]) -> Any:
        labels = {"tenant": self.tenant, "job": self.job, "stream": self.stream}
        self._ctx = ctx = run_context(context, labels)
        ctx.airflow = context
        if self._killed:  # while the context was being built
            ctx.cancel()
        ctx.check_cancelled()
        try:
            return self.step(ctx, context)
        except DativoError as error:
            self.failed(error, ctx, context)
            raise
        finally:
            ctx.kept.close()

    @abstractmethod
    def step(self, ctx: RunContext, context: Mapping[str, Any]) -> Any:
        """Calls the engine. What it returns goes to XCom: references and indexes only."""

    def failed(self, error: DativoError, ctx: RunContext, context: Mapping[str, Any]) -> None:
        """Last words of a step that ends with `error`."""

    def on_kill(self) -> None:
        """Ends the query at the source; the step then stops with `Cancelled`."""
        self._killed = True
        if self._ctx is not None:
            self._ctx.cancel()


class PlannedOperator(StepOperator):
    """A step after `plan`; `plan` is the URI of the plan.json that it reads."""

    template_fields: Sequence[str] = ("plan",)

    def __init__(self, *, plan: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.plan = plan

    def failed(self, error: DativoError, ctx: RunContext, context: Mapping[str, Any]) -> None:
        """Closes the run's record, unless the audit did or Airflow will try once more."""
        ti = context["ti"]
        if isinstance(error, ContractViolation) or (error.retryable and ti.try_number <= ti.max_tries):
            return
        from dativo_provider.pipeline import records
        from dativo_provider.pipeline.workplace import open_folder

        try:
            records.failed(open_folder(self.plan, ctx).plan(), error, ctx)
        except Exception:
            ctx.log.warning("the failure of %s could not be recorded", self.plan, exc_info=True)
