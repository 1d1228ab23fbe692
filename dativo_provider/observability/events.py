"""What each event of the log says. The names are those dashboards of the product we succeed key on."""

from __future__ import annotations

from collections.abc import Mapping

from dativo_provider.vocabulary import EventType

__all__ = ["EVENTS"]

EVENTS: Mapping[EventType, str] = {
    "job_started": "a run of a job begins",
    "job_validated": "the job's files were read and are valid",
    "asset_loaded": "the contract of a stream was read",
    "state_initialized": "the stream's state was read from its table",
    "extractor_initialized": "the source was opened",
    "extraction_started": "a slice is being read",
    "batch_extracted": "some rows were read; at debug level each batch, else a line every few seconds",
    "validation_filtered": "rows were set aside by row checks",
    "validation_errors": "checks failed; says which and how often",
    "batch_written": "a staged file was written; nothing can see it yet",
    "extraction_complete": "all rows of a slice were read",
    "commit_success": "the rows are visible in the table",
    "commit_failed": "the commit did not happen; the table is as before",
    "files_written_no_catalog": "files were written where no catalog is used",
    "catalog_lineage_pushed": "lineage was sent to a catalog",
    "job_finished": "a run of a job ended; has the counts of the books",
    "job_error": "a run ended with an error; has its code",
    "retry_attempt": "a request failed and is made again; has attempt and delay",
    "tenant_inferred": "the tenant was taken from the path of the file",
    "secrets_loaded": "secrets were read; never which values",
    "infra_validated": "catalog, warehouse and store answered",
    "metrics_complete": "one metric, as a log line",
}
