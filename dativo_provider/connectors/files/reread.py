"""Options that changed since files were read: `on_changed_options` of a job says what then."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.windows import files_of, whole_window
from dativo_provider.errors import SourceChanged
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Window, WindowRequest

__all__ = ["marks_of", "window_of_options"]

_SAME_ROWS = {"batch_size", "chunk_size", "max_record_mb"}  # whatever these say


def marks_of(options: Mapping[str, Any]) -> dict[str, str]:
    """A mark of each option that rows depend on. The values themselves are not for the state."""
    return {name: _mark(value) for name, value in sorted(options.items()) if name not in _SAME_ROWS}


def _mark(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:8]


def window_of_options(
    stream: StreamSpec,
    request: WindowRequest,
    window: Window,
    files: Sequence[Found],
    marks: Mapping[str, str],
    policy: str,
) -> Window:
    """`window`, or what takes its place where files were read with other options than `marks`.

    `keep` leaves them alone, because a supplier who changes his files changes the ones to come; the report says so.
    Without a policy it is `replace` where the job replaces the table for changed files too.
    Raises `SourceChanged` for `refuse`.
    """
    policy = policy or ("replace" if stream.on_changed_file == "replace" else "keep")
    changed = _changed(request, marks) if window.kind in ("incremental", "empty") else []
    if changed and policy == "replace":
        window = whole_window(stream, files, f"reading everything again, because options changed: {', '.join(changed)}")
    elif changed and policy == "refuse":
        raise _refused(stream, changed)
    elif changed:
        window = replace(window, notes=(*window.notes, _kept(changed)))
    if window.kind in ("incremental", "full"):
        return replace(window, detail={**window.detail, "options": dict(marks)})
    return window


def _changed(request: WindowRequest, marks: Mapping[str, str]) -> list[str]:
    """Nothing where the state is from before marks were kept: nobody knows what the files were read with."""
    if not request.since or not files_of(request.since) or "options" not in request.since.value:
        return []
    before = request.since.value["options"]
    return sorted(name for name in {*before, *marks} if before.get(name) != marks.get(name))


def _kept(changed: Sequence[str]) -> str:
    return (
        f"options changed: {', '.join(changed)}; files that were read before keep the rows they brought, and "
        "`--full-refresh` reads them again"
    )


def _refused(stream: StreamSpec, changed: Sequence[str]) -> SourceChanged:
    return SourceChanged(
        f"options changed since files were read: {', '.join(changed)}", where=stream.object,
        remedy="set on_changed_options to 'replace' (read every file again and replace the table) or 'keep' (their "
        "rows stay), or run with --full-refresh",
    )  # fmt: skip
