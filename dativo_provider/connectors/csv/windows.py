"""Which files a run reads, told by what was read before.

The cursor is `{"files": {path: {"size", "mtime_ns", "sha256", "rows"}}}` over every file ever read, and marks of the
`options` they were read with last. A file is new
when its path is not there, and the same when size and modification time are those recorded. When only the time
differs its content is hashed at planning: the same hash means it was touched, not changed. Everything else has
changed, and `on_changed_file` decides. The hash recorded is that of the bytes that were read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.errors import ConfigurationError, SourceChanged
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Cursor, ReadResult, Slice, Window, WindowRequest

__all__ = ["Fingerprint", "cut", "files_of", "nanoseconds", "next_cursor", "plan_window", "whole_window"]

Fingerprint = Mapping[str, Any]
Same = Callable[[Found, Fingerprint], bool]
Split = Callable[[Found, int], Sequence[Any]]  # parts are dataclasses of the reader's own
SMALLEST_PART = 64 << 20  # bytes; less is not worth a task of its own
_NO_LOOKBACK = (
    "lookback has no effect on files: a new or changed one is found by its fingerprint, however old its date is"
)


@dataclass
class _Sorted:
    new: list[Found] = field(default_factory=list)
    changed: list[Found] = field(default_factory=list)
    touched: list[Found] = field(default_factory=list)


def plan_window(stream: StreamSpec, request: WindowRequest, files: Sequence[Found], same: Same) -> Window:
    """`same` is asked whether a file whose time or version changed, and whose size did not, holds what it held.

    Raises `SourceChanged` when a file changed and the job refuses that, `ConfigurationError` when it wants such
    a file appended but names no key to tell its old rows by.
    """
    notes = (_NO_LOOKBACK,) if stream.incremental.lookback_seconds else ()
    if request.full:
        return _window("full", stream, files, notes)
    if request.start or request.end:
        return _range(stream, request, files, notes)
    known = files_of(request.since)
    found = _sorted(files, known, same)
    if found.changed:
        names = ", ".join(file.path for file in found.changed)
        _allow_changed(stream, names)
        if stream.on_changed_file == "replace":
            return _window("full", stream, files, (*notes, f"reading everything again, because of: {names}"))
        notes = (*notes, f"changed and read again: {names}")
    return _increment(stream, found, known, notes)


def _sorted(files: Sequence[Found], known: Mapping[str, Fingerprint], same: Same) -> _Sorted:
    sorts = _Sorted()
    for file in files:
        before = known.get(file.path)
        if before is None:
            sorts.new.append(file)
        elif not _recorded(file, before):
            touched = before["size"] == file.size and same(file, before)
            (sorts.touched if touched else sorts.changed).append(file)
    return sorts


def _recorded(file: Found, before: Fingerprint) -> bool:
    """A version says what the content is, whatever its date."""
    if file.version and before.get("version"):
        return bool(before["version"] == file.version)
    return bool((before["size"], before["mtime_ns"]) == (file.size, file.mtime_ns))


def _allow_changed(stream: StreamSpec, names: str) -> None:
    if stream.on_changed_file == "refuse":
        raise SourceChanged(
            f"a file that was read before has changed: {names}",
            where=stream.object,
            remedy="set on_changed_file to 'append' (read it again; rows with a known key are dropped) or 'replace' "
            "(read every file again and replace the table), or deliver the new rows in a new file",
        )
    if stream.on_changed_file == "append" and not stream.key:
        raise ConfigurationError(
            f"a file that was read before has changed: {names}; reading it again would double its rows, because "
            "the stream has no key",
            where=stream.object,
            remedy="name the primary key in the contract, or set on_changed_file to 'replace'",
        )


def _increment(stream: StreamSpec, found: _Sorted, known: Mapping[str, Fingerprint], notes: tuple[str, ...]) -> Window:
    touched = {file.path: {**known[file.path], **_stamp(file)} for file in found.touched}
    fresh = sorted(found.new + found.changed, key=lambda file: file.path)
    if not fresh:
        return Window("empty", detail={"touched": touched} if touched else {}, notes=notes)
    return _window("incremental", stream, fresh, notes, touched)


def _stamp(file: Found) -> dict[str, Any]:
    return {"mtime_ns": file.mtime_ns, **({"version": file.version} if file.version else {})}


def _range(stream: StreamSpec, request: WindowRequest, files: Sequence[Found], notes: tuple[str, ...]) -> Window:
    """Files modified in [start, end)."""
    low, high = nanoseconds(request.start), nanoseconds(request.end)
    inside = [
        file for file in files if (low is None or low <= file.mtime_ns) and (high is None or file.mtime_ns < high)
    ]
    made = _window("range", stream, inside, notes) if inside else Window("empty", notes=notes)
    return Window(made.kind, lo=request.start, hi=request.end, overlap=made.overlap, detail=made.detail, notes=notes)


def nanoseconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"'{text}' is no time", remedy="files are told by their modification time: give an ISO timestamp"
        ) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


def _window(
    kind: Any,
    stream: StreamSpec,
    files: Sequence[Found],
    notes: tuple[str, ...],
    touched: Mapping[str, Fingerprint] | None = None,
) -> Window:
    """Any file may deliver rows again that another one brought: with a key they can be told."""
    detail: dict[str, Any] = {"files": [asdict(file) for file in files]}
    if touched:
        detail["touched"] = touched
    return Window(kind, overlap=bool(stream.key), detail=detail, notes=notes)


def whole_window(stream: StreamSpec, files: Sequence[Found], note: str) -> Window:
    """Every file again, whatever was read before."""
    return _window("full", stream, files, (note,))


def cut(stream: StreamSpec, window: Window, want: int, split: Split | None = None) -> list[Slice]:
    """At most `want` slices of about equal bytes; files keep their order in a slice.

    A file much larger than its share is given to `split`, which leaves it whole by returning nothing.
    """
    files = [Found(**facts) for facts in window.detail.get("files", ())]
    want, share = max(1, min(want, 256)), sum(file.size for file in files) // max(1, want)
    parts: list[tuple[Found, Any]] = []
    for file in sorted(files, key=lambda each: -each.size) if split and want > 1 else ():
        pieces = min(round(file.size / max(1, share)), want - len(parts) - (len(files) > 1))
        if split and file.size >= SMALLEST_PART * pieces and pieces > 1:
            parts += [(file, part) for part in split(file, pieces)]
    divided = {file.path for file, _ in parts}
    whole = _binned([file for file in files if file.path not in divided], want - len(parts))
    specs: list[dict[str, Any]] = [{"files": [asdict(file) for file in group]} for group in whole]
    specs += [{"files": [asdict(file)], "part": asdict(part)} for file, part in parts]
    return [Slice(index, stream.name, spec) for index, spec in enumerate(specs)]


def _binned(files: Sequence[Found], want: int) -> list[list[Found]]:
    bins: list[list[Found]] = [[] for _ in range(max(1, min(want, len(files))))]
    filled = [0] * len(bins)
    for file in sorted(files, key=lambda each: -each.size):
        least = filled.index(min(filled))
        bins[least].append(file)
        filled[least] += file.size + 1
    return sorted((sorted(each, key=lambda file: file.path) for each in bins if each), key=lambda part: part[0].path)


def files_of(cursor: Cursor | None) -> dict[str, Fingerprint]:
    return dict(cursor.value.get("files", {})) if cursor else {}


def next_cursor(window: Window, results: Sequence[ReadResult], base: Cursor | None) -> Cursor | None:
    """What was known (nothing, after a full reading), with the files that were read now."""
    touched = window.detail.get("touched", {})
    if window.kind == "empty" and not touched:
        return base
    known = {} if window.kind == "full" else files_of(base)
    options = window.detail.get("options", base.value.get("options") if base else None)
    read: dict[str, Fingerprint] = {}
    for path, facts in (item for result in results for item in result.detail.get("files", {}).items()):
        before = read.get(path, {})  # a file may come in parts
        read[path] = {**before, **facts, "rows": facts["rows"] + before.get("rows", 0)}
    return Cursor({"files": {**known, **touched, **read}, **({} if options is None else {"options": options})})
