"""Columns Dativo adds to tables, and the fixed schemas of quarantines and their logs (ARCHITECTURE 4.6, 4.11)."""

from __future__ import annotations

from dativo_provider.model.job import JobSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.stream import Field

__all__ = ["INBOX_LOG_FIELDS", "QUARANTINE_FIELDS", "SYSTEM_FIELDS", "history_fields"]

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

INBOX_LOG_FIELDS = (
    Field("action", "string", required=True, description="id of the command, or of the replay, that wrote the line"),
    Field("run", "string", required=True, description="plan id of the run that set the row aside"),
    Field("stream", "string", required=True),
    Field("row_id", "string", required=True, description="as in the quarantine"),
    Field(
        "status",
        "string",
        required=True,
        description="reviewed, deleted, or replayed: which holds once the main table's state names the action",
    ),
    Field("fix", "string", description="JSON of the values a person has set, by column; the original stays as it is"),
    Field("by", "string", description="who did it"),
    Field("at", "timestamptz", required=True),
    Field("note", "string", description="why"),
    Field("expires_at", "timestamptz", description="as in the quarantine"),
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
