"""DAGs beside those of the jobs: one leaf per kind, each with `makes(dag_id)` and `dags(jobs, options)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from airflow.sdk import DAG

from dag_factory.blueprints import doctor, freshness, maintenance, replay
from dag_factory.options import FactoryOptions
from dativo_provider.config import JobFile

__all__ = ["BLUEPRINTS", "Blueprint"]


class Blueprint(Protocol):
    def makes(self, dag_id: str) -> bool:
        """Whether an id may be one of this kind's; asked before anything is read."""

    def dags(self, jobs: Mapping[str, Sequence[JobFile]], options: FactoryOptions) -> Iterator[DAG]:
        """Pure but for the tenants' files. `jobs` by DAG id."""


BLUEPRINTS: tuple[Blueprint, ...] = (maintenance, freshness, replay, doctor)
