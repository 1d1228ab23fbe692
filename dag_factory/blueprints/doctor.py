"""`dativo.doctor`: started by hand, it checks the deployment from where tasks run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from airflow.sdk import DAG, Param

from dag_factory.options import FactoryOptions
from dativo_provider.config import JobFile
from dativo_provider.operators.doctor import DoctorOperator

__all__ = ["DAG_ID", "build", "dags", "makes"]

DAG_ID = "dativo.doctor"
_DOC = """\
Checks what a run needs, from a worker: executor against catalog and warehouse, rights, conditional puts, clocks,
versions, disk, memory, the metadata store, secrets. One line of the task's log each, with the remedy.
"""


def makes(dag_id: str) -> bool:
    return dag_id == DAG_ID


def dags(jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions) -> Iterator[DAG]:
    """One per folder that holds any job."""
    if jobs:
        yield build(options)


def build(options: FactoryOptions) -> DAG:
    sources = Param(False, type="boolean", title="Sources", description="Connect to the source of every job as well.")
    dag = DAG(
        DAG_ID,
        schedule=None,
        start_date=datetime(2000, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        tags=["dativo", "dativo:blueprint"],
        doc_md=_DOC,
        description="Checks the deployment",
        params={"sources": sources},
        auto_register=False,
    )
    DoctorOperator(
        task_id="doctor", dag=dag, owner="dativo", retries=0, environment=options.environment, mode=options.mode
    )
    return dag
