"""`--job-dir`: the jobs of one folder, which must all belong to one tenant."""

from __future__ import annotations

import argparse
from pathlib import Path

from dativo_provider.cli.context import load_job
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import JobSpec

__all__ = ["load_folder"]


def load_folder(folder: Path, args: argparse.Namespace) -> list[JobSpec]:
    """Every job is loaded before the first one runs. Raises `ConfigurationError`."""
    from dativo_provider.config import find_jobs

    if not folder.is_dir():
        raise ConfigurationError("there is no such folder", where=str(folder))
    found = sorted(find_jobs(folder), key=lambda job: job.path)
    if not found:
        raise ConfigurationError("there is no job in this folder", where=str(folder))
    jobs = [load_job(job.path, args) for job in found]
    tenants = sorted({job.tenant for job in jobs})
    if len(tenants) > 1:
        raise ConfigurationError(
            f"the folder has jobs of several tenants: {', '.join(tenants)}",
            where=str(folder),
            remedy="keep one folder per tenant and run each with its own --job-dir",
        )
    return jobs
