"""`<tenant>.replay`: started by hand, it sends rows of a quarantine inbox through their job's pipeline again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from airflow.sdk import DAG, AssetAlias, Param

from dag_factory.blueprints.tenants import scheduled, tenant_dag
from dag_factory.options import FactoryOptions
from dativo_provider.config import JobFile
from dativo_provider.hooks.tenancy import pool_name
from dativo_provider.model.job import RetrySpec
from dativo_provider.model.maintenance import MaintenanceSchedule
from dativo_provider.operators.replay import ReplayOperator
from dativo_provider.operators.retry import retry_arguments

__all__ = ["build", "dags", "makes"]

_DOC = """\
Sends rows that jobs of tenant **{tenant}** have set aside the same way again: through the job's own contract, checks
and publish, as `dativo quarantine replay` does. Correct the rows first (`dativo quarantine fix` or `import`), or the
rule they broke. A row that fails again stays in the inbox, and no row comes twice. Trigger it: the form asks which rows
are meant; the task's return value counts what became of them.
"""
_BY_HAND = MaintenanceSchedule(cron="")


def makes(dag_id: str) -> bool:
    return dag_id.endswith(".replay")


def dags(jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions) -> Iterator[DAG]:
    """One per tenant, unless its file cannot be read."""
    for tenant, files, _ in scheduled(jobs, options, lambda _spec: _BY_HAND):
        yield build(tenant, files, options)


def build(tenant: str, files: Sequence[str], options: FactoryOptions) -> DAG:
    """`files` are the tenant's job files, relative to the loader's folder."""
    by_name = {PurePath(file).stem: file for file in files}
    dag = tenant_dag(
        tenant, "replay", _BY_HAND, options, _DOC,
        description="Sends quarantined rows through the pipeline again", params=_params([*by_name]),
    )  # fmt: skip
    ReplayOperator(
        task_id="replay",
        dag=dag,
        tenant=tenant,
        job="replay",
        stream="",
        owner="dativo",
        jobs=by_name,
        environment=options.environment,
        mode=options.mode,
        outlets=[AssetAlias(f"{tenant}.replayed", group=tenant)],
        **({"pool": pool_name(tenant)} if options.manage_pools else {}),
        **retry_arguments(RetrySpec()),
    )
    return dag


def _params(jobs: Sequence[str]) -> dict[str, Any]:
    only = {"default": jobs[0]} if len(jobs) == 1 else {}
    optional = {"type": ["null", "string"]}
    return {
        "job": Param(**only, type="string", enum=list(jobs), title="Job", description="Whose inbox."),
        "stream": Param(None, title="Stream", description="Needed where the job has several.", **optional),
        "cause": Param(
            None, title="Cause", description="Rows that broke this rule; a dry run lists the names.", **optional
        ),
        "run": Param(None, title="Run", description="Rows that this run set aside: its plan id.", **optional),
        "status": Param(
            "open", type="string", enum=["open", "reviewed", "quarantined"], title="Status",
            description="`reviewed`: corrected or marked by a person; `open`: all that wait.",
        ),
        "limit": Param(None, type=["null", "integer"], minimum=1, title="Limit", description="The oldest N rows."),
        "skip_checks": Param(
            [], type="array", items={"type": "string"}, title="Skip checks", description="Replay without these checks.",
        ),
        "overwrite": Param(
            False, type="boolean", title="Overwrite", description="Merge, although the table's row may be newer.",
        ),
        "dry_run": Param(
            False, type="boolean", title="Dry run", description="Only count what is in the inbox, by cause.",
        ),
    }  # fmt: skip
