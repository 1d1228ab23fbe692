"""Files that were read before and are no longer there: `on_deleted_file` of a job says what then."""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.windows import files_of, whole_window
from dativo_provider.errors import SourceChanged
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Window, WindowRequest

__all__ = ["window_without"]

_NAMED = 10


def window_without(
    stream: StreamSpec, request: WindowRequest, there: Sequence[Found], files: Sequence[Found], policy: str
) -> Window | None:
    """The window of a run that follows deletions; None when there are none, or the job does not follow them.

    `files` are those of `there` that the job wants.
    `replace` reads every file that is left, as `on_changed_file: replace` does. Raises `SourceChanged` for `refuse`.
    """
    if policy == "ignore" or request.full or request.start or request.end:
        return None
    gone = sorted(files_of(request.since).keys() - {file.path for file in there})
    if not gone:
        return None
    names = ", ".join(gone[:_NAMED]) + (f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else "")
    if policy == "refuse":
        raise SourceChanged(
            f"files that were read before are gone: {names}", where=stream.object,
            remedy="put them back, or set on_deleted_file to 'replace' (read what is left and replace the table) or "
            "'ignore' (their rows stay)",
        )  # fmt: skip
    return whole_window(stream, files, f"reading everything again, because these are gone: {names}")
