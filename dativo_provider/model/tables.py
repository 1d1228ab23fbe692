"""Columns Dativo adds to tables, and the fixed schema of quarantine tables (ARCHITECTURE 4.6, 4.11)."""

from __future__ import annotations

from dativo_provider.model.job import JobSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.stream import Field

__all__ = ["QUARANTINE_FIELDS", "SYSTEM_FIELDS", "history_fields"]

SYSTEM_FIELDS = (
    Field("_dativo_run", "string", description="plan id of the run that wrote the row"),
    Field("_dativo_loaded_at", "timestamptz", description="when that run started"),
    Field("_dativo_source", "string", description="file, table or endpoint and position the row was read from"),
)

QUARANTINE_FIELDS = (
    Field("run", "string", required=True, description="plan id of the run"),
    Field("stream", "string", required=True),
    Field(
        "row_id",
        "string",
        required=True,
        description="stable for the same source row: hash of stream, origin, place, content",
    ),
    Field("source_reference", "string", description="origin:position"),
    Field("raw", "string", description="the source row as JSON before cast and transform, or its rejected text"),
    Field("kind", "string", required=True, description="quarantined or rejected"),
    Field("reasons", "list<string>", description="ids of the checks that failed, or why it is no row"),
    Field("contract_version", "string"),
    Field("quarantined_at", "timestamptz", required=True),
    Field("expires_at", "timestamptz"),
)


def history_fields(job: JobSpec) -> tuple[Field, ...]:
    """Columns that say when a version of a row was valid; none in modes that keep no history."""
    if not TRAITS[job.target.mode].history:
        return ()
    names = job.target.history
    return (
        Field(names.valid_from, "timestamptz", description="when this version of the row began"),
        Field(names.valid_to, "timestamptz", description="when it ended; empty while it is the current one"),
        Field(names.is_current, "boolean", description="whether it is the current version"),
    )
