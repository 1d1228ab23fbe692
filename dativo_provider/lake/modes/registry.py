"""Write modes by name; a leaf is imported when its mode is used."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from dativo_provider.errors import ConfigurationError
from dativo_provider.lake.modes.base import Mode, Work
from dativo_provider.lake.state import other_jobs
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.vocabulary import WriteMode

__all__ = ["check_alone", "check_key", "open_mode"]

_LEAVES: Mapping[WriteMode, str] = {
    "append": "append:Append",
    "replace": "replace:Replace",
    "merge": "merge:Merge",
    "delete_insert": "delete_insert:DeleteInsert",
    "scd2": "scd2:Scd2",
}


def open_mode(work: Work) -> Mode:
    module, _, name = _LEAVES[work.plan.job.target.mode].partition(":")
    leaf: type[Mode] = getattr(import_module(f"dativo_provider.lake.modes.{module}"), name)
    return leaf(work)


def check_key(job: JobSpec, stream: StreamSpec, where: str) -> None:
    """Raises `ConfigurationError` when the job's mode tells rows by a key and the stream has none."""
    if TRAITS[job.target.mode].keyed and not stream.identity:
        raise ConfigurationError(
            f"mode '{job.target.mode}' tells rows by their key, and '{stream.name}' has none",
            where=where,
            remedy="name the primary key in the contract, or `key` in the job",
        )


def check_alone(properties: Mapping[str, str], job: JobSpec, stream: str, where: str) -> None:
    """Raises `ConfigurationError` when the job's mode would take away rows that other jobs have published here."""
    traits = TRAITS[job.target.mode]
    if not (traits.alone or (traits.keyed and job.target.delete_missing)):
        return
    if others := other_jobs(properties, job, stream):
        names = ", ".join(key.removeprefix("dativo.state.") for key in others)
        raise ConfigurationError(
            f"mode '{job.target.mode}' would delete the rows of {names}, which publish into the same table",
            where=where,
            remedy="give this stream a table of its own, or use mode: append with an incremental cursor",
        )
