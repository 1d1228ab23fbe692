"""The form behind "Trigger": what a person may ask of a run."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param

from dativo_provider.model.job import JobSpec, StreamSpec

__all__ = ["params"]

_FORMATS = {"timestamp": "date-time", "timestamptz": "date-time", "date": "date"}


def params(job: JobSpec) -> dict[str, Any]:
    form = _format(job)
    bound = {"type": ["null", "string"], **({"format": form} if form else {})}
    return {
        "full_refresh": Param(
            False,
            type="boolean",
            title="Full refresh",
            description="Read everything again and replace what is in the table.",
        ),
        "from": Param(
            None, title="From", description="Read one range again, from here on. The cursor stays where it is.", **bound
        ),
        "to": Param(None, title="To", description="End of that range, itself not included.", **bound),
    }


def _format(job: JobSpec) -> str:
    """A date picker where every cursor is a point in time; else text, since cursors may be numbers."""
    forms = {_FORMATS.get(_cursor_type(stream), "") for stream in job.streams if stream.incremental.cursor_field}
    return forms.pop() if len(forms) == 1 else ""


def _cursor_type(stream: StreamSpec) -> str:
    wanted = stream.incremental.cursor_field
    return next((field.type for field in stream.contract.fields if field.name == wanted), "")
