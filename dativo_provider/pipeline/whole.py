"""A full load that deletes what it does not bring reads past its window's end.

A row that changes while it is read moves beyond `hi`: inside the window it would look missing, and be deleted until
the next run. So nothing is left out; the cursor stays where rows are settled, and the next run reads such rows again.
"""

from __future__ import annotations

from dataclasses import replace

from dativo_provider.model.job import JobSpec
from dativo_provider.model.stream import Window

__all__ = ["reading_whole"]


def reading_whole(job: JobSpec, window: Window) -> Window:
    """`window` without bounds where absence deletes; later windows may then meet rows that were set aside already."""
    if not job.target.delete_missing:
        return window
    if window.kind == "incremental":
        return replace(window, overlap=True)
    if window.kind != "full" or window.hi is None:
        return window
    note = f"rows that changed from {window.hi} on are read too, so that none looks gone; the next run reads them again"
    return replace(window, column="", type="", hi=None, notes=(*window.notes, note))
