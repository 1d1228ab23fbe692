"""Pages of Dativo in Airflow's web server, below `/dativo`, for whoever may see the DAG they are about."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from dativo_provider.errors import DativoError
from dativo_provider.operators.context import deployment_context
from dativo_provider.pipeline.report import report_of
from dativo_provider.store import open_store

__all__ = ["app"]

app = FastAPI(title="Dativo", openapi_url=None)
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}


@app.get(
    "/reports/{dag_id}/{plan_id}",
    dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.TASK_INSTANCE))],
)
def report(dag_id: str, plan_id: str) -> HTMLResponse:
    """The quality report of one stream's run of this DAG, as the metadata store knows it."""
    ctx = deployment_context(None, {})
    try:
        record = open_store(ctx).get(plan_id)
        if record is None or f"{record.tenant}.{record.job}" != dag_id:
            raise HTTPException(404, f"{dag_id} has no run '{plan_id}' in the metadata store")
        return HTMLResponse(report_of(record, ctx), headers=_SAFE)
    except DativoError as problem:
        raise HTTPException(503, f"the report cannot be made here: {problem.message}") from None
    finally:
        ctx.kept.close()
