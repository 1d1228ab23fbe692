"""runner.yaml: schedules outside the jobs, concurrency, secrets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from dativo_provider.config.shapes.base import Interval, Mapped, Shape, Timezone, schema_key
from dativo_provider.config.shapes.job import Cron

__all__ = ["Orchestrator", "Runner", "RunnerFile", "RunnerSchedule", "SecretsBlock"]


class RunnerSchedule(Shape):
    """A schedule that overrides the job's own."""

    name: str = Field(min_length=1, description="Name of the schedule.")
    config: str = Field(min_length=1, description="Path of the job file.")
    cron: Cron | None = Field(
        default=None, description="Five fields, or `@hourly`, `@daily`, … Either this or an interval."
    )
    interval_seconds: Interval | None = Field(default=None, description="Seconds between runs.")
    enabled: bool = Field(default=True, description="false pauses the schedule without removing it.")
    timezone: Timezone = Field(default="UTC", description="IANA time zone in which `cron` is read.")
    max_concurrent_runs: int = Field(default=1, ge=1, le=64, description="Runs of the job at the same time.")
    tags: dict[str, str] = Field(default={}, description="Further tags of the DAG.")


class Orchestrator(Shape):
    """Schedules and their limits."""

    type: Literal["airflow", "dagster", "none"] = Field(
        default="airflow", description="Airflow runs the schedules, whatever is named here."
    )
    schedules: list[RunnerSchedule] = Field(default=[], description="Schedules of jobs.")
    concurrency_per_tenant: int = Field(default=1, ge=1, le=1000, description="Tasks of one tenant at the same time.")
    dag_output_path: str = Field(default="", description="Accepted; DAGs are not written to files.")


_PROVIDERS = {
    "environment": "env", "fs": "filesystem", "file": "filesystem", "hashicorp": "vault", "hashicorp_vault": "vault",
    "aws_secrets_manager": "aws", "gcp_secret_manager": "gcp", "azure_key_vault": "azure",
}  # fmt: skip
Provider = Annotated[
    Literal["env", "filesystem", "vault", "aws", "gcp", "azure", "airflow"],
    BeforeValidator(lambda value: _PROVIDERS.get(value, value) if isinstance(value, str) else value),
]


class SecretsBlock(Shape):
    """Where secrets come from. Blocks of providers that are not used are not read."""

    provider: Provider = Field(default="env", description="Backend of secrets.")
    type: Provider | None = Field(default=None, description="Older name of `provider`.")
    env: Mapped = Field(default={}, description="Options of `env`: `prefix`.")
    filesystem: Mapped = Field(default={}, description="Options of `filesystem`: `secrets_dir`.")
    vault: Mapped = Field(default={}, description="Options of `vault`: `url`, `token`, `mount_point`, …")
    aws: Mapped = Field(default={}, description="Options of `aws`: `region`, `kms_key_id`, `secret_id_template`, …")
    gcp: Mapped = Field(default={}, description="Options of `gcp`: `project_id`, …")
    azure: Mapped = Field(default={}, description="Options of `azure`: `vault_url`, …")
    airflow: Mapped = Field(default={}, description="Options of `airflow`.")


class Runner(Shape):
    """How a deployment runs its jobs."""

    schema_: str = schema_key()
    mode: Literal["orchestrated", "oneshot"] = Field(default="orchestrated", description="Kept for older tools.")
    orchestrator: Orchestrator | None = Field(default=None, description="Schedules and their limits.")
    schedules: list[RunnerSchedule] = Field(default=[], description="Short form of `orchestrator.schedules`.")
    concurrency_per_tenant: int | None = Field(
        default=None, ge=1, le=1000, description="Short form of `orchestrator.concurrency_per_tenant`."
    )
    secrets: SecretsBlock | None = Field(default=None, description="Where secrets come from.")
    environment: str = Field(default="", description="Overlay of the jobs' `environments` that applies.")


class RunnerFile(Shape):
    """The same inside a wrapper."""

    schema_: str = schema_key()
    runner: Runner = Field(description="How a deployment runs its jobs.")
