"""The engine's ports, filled from Airflow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dativo_provider.model.context import Connections, RunContext, Secrets
from dativo_provider.operators.logs import task_log

__all__ = ["deployment_context", "loader_folder", "run_context"]


def run_context(context: Mapping[str, Any], labels: Mapping[str, str]) -> RunContext:
    """For one task, its run among the labels."""
    return deployment_context(loader_folder(context), {**labels, "run": context["dag_run"].run_id})


def deployment_context(folder: Path | None, labels: Mapping[str, str]) -> RunContext:
    """Settings of the deployment, secrets and connections of Airflow, labels for logs and metrics. runner.yaml of the
    loader's `folder` says where else secrets are."""
    from dativo_provider.hooks.connections import AirflowConnections
    from dativo_provider.hooks.metrics import AirflowMetrics
    from dativo_provider.hooks.secrets import listen
    from dativo_provider.hooks.settings import load_settings

    listen()
    connections = AirflowConnections()
    return RunContext(
        settings=load_settings(connections),
        secrets=_secrets(folder, connections),
        connections=connections,
        metrics=AirflowMetrics(),
        variables=dict(os.environ),
        log=task_log(),
        labels=dict(labels),
    )


def loader_folder(context: Mapping[str, Any]) -> Path | None:
    """The loader's, where runner.yaml is. Not an argument of the tasks: mapped ones would write it into the
    serialized DAG, which would then differ with every checkout."""
    loader = getattr(context.get("dag"), "fileloc", None)
    return Path(loader).parent if loader else None


def _secrets(folder: Path | None, connections: Connections) -> Secrets:
    """Airflow's Variables first; what they do not hold comes from where runner.yaml says."""
    from dativo_provider.config import SecretsSpec, load_runner
    from dativo_provider.hooks.secrets import AirflowSecrets, register
    from dativo_provider.secrets import open_secrets

    block = load_runner(folder).secrets if folder and folder.is_dir() else SecretsSpec()
    if block.provider == "airflow":
        return AirflowSecrets()
    said = {"provider": block.provider, block.provider: block.options}
    return AirflowSecrets(open_secrets(said, os.environ, register, connections=connections))
