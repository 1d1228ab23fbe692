"""State as a JSON file: our own form, out and in, and the state files of the product we succeed, in.

Those are `{STATE_DIR}/{tenant}/{connector}.{object}.state.json` with a key per cursor, `<object>.<cursor_field>` →
`{"last_value"}`, and one per file, `file_<id or path>` → `{"last_modified"}` (REQUIREMENTS 3.7).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.run import Lane, State
from dativo_provider.model.stream import Cursor, WindowRequest
from dativo_provider.pipeline.state import LaneState, chosen, cursor_at, cursor_of
from dativo_provider.pipeline.workplace import reading

__all__ = ["Imported", "exported", "read_file"]

FORMAT = "dativo-state/1"


@dataclass
class Imported:
    """`cursors` by stream and lane; `left` says what was not taken over: file, key, why."""

    cursors: dict[tuple[str, Lane], Cursor] = field(default_factory=dict)
    left: list[tuple[str, str, str]] = field(default_factory=list)


def exported(job: JobSpec, found: Sequence[LaneState]) -> dict[str, Any]:
    lanes = [
        {
            "stream": each.stream,
            "lane": each.lane.suffix,
            "seq": each.state.seq,
            "cursor": dict(each.state.cursor.value),
        }
        for each in found
        if each.state.cursor
    ]
    return {"format": FORMAT, "tenant": job.tenant, "job": job.id, "lanes": lanes}


def read_file(job: JobSpec, path: Path, stream: str, ctx: RunContext) -> Imported:
    """Of one file, or of every `*.state.json` of a folder. Raises `ConfigurationError` for what is no state."""
    made = Imported()
    for file in _files(path):
        content = _json(file)
        if content.get("format") == FORMAT:
            _own(job, file, content, stream, made, ctx)
        else:
            _original(job, file, content, stream, made, ctx)
    return made


def _files(path: Path) -> list[Path]:
    found = sorted(path.glob("*.state.json")) if path.is_dir() else [path]
    if not found or not found[0].is_file():
        raise ConfigurationError(
            "there is no state file", where=str(path), remedy="give a file, or the tenant's folder"
        )
    return found


def _json(file: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except ValueError as problem:
        raise ConfigurationError("this is no JSON", where=str(file), remedy="restore the file") from problem
    if not isinstance(content, dict):
        raise ConfigurationError("this is no state file: a JSON object is expected", where=str(file))
    return content


def _own(job: JobSpec, file: Path, content: Mapping[str, Any], stream: str, made: Imported, ctx: RunContext) -> None:
    if content.get("tenant") != job.tenant:
        raise ConfigurationError(
            f"this is state of tenant '{content.get('tenant')}', and the job is of '{job.tenant}'", where=str(file)
        )
    wanted = {spec.name for spec in chosen(job, stream)}
    for lane in content.get("lanes", ()):
        named = lane["stream"] + lane["lane"]
        if lane["stream"] not in wanted:
            made.left.append((str(file), named, "the job has no such stream"))
            continue
        try:
            cursor = cursor_of(job, job.stream(lane["stream"]), State(), lane["cursor"], ctx)
            made.cursors[lane["stream"], Lane.of(lane["lane"])] = cursor
        except ConfigurationError as problem:
            made.left.append((str(file), named, problem.message))


def _original(
    job: JobSpec, file: Path, content: Mapping[str, Any], stream: str, made: Imported, ctx: RunContext
) -> None:
    specs, of_files = chosen(job, stream), {k: v for k, v in content.items() if k.startswith("file_")}
    for key, entry in content.items():
        if key in of_files:
            continue
        spec = next((each for each in specs if key in _names(each)), None)
        if spec is None or not isinstance(entry, dict) or entry.get("last_value") is None:
            made.left.append((str(file), key, "no stream of the job has this object and cursor" if spec is None else
                              "it holds no last_value"))  # fmt: skip
            continue
        try:
            made.cursors[spec.name, Lane()] = cursor_at(job, spec, State(), str(entry["last_value"]), ctx)
        except ConfigurationError as problem:
            made.left.append((str(file), key, problem.message))
    if of_files:
        _file_entries(job, file, of_files, specs, made, ctx)


def _names(spec: StreamSpec) -> set[str]:
    """Keys under which the original may have kept this stream's cursor."""
    objects = {spec.name, spec.object, spec.object.rpartition(".")[2], spec.table}
    return {f"{each}.{spec.incremental.cursor_field}" for each in objects}


def _file_entries(
    job: JobSpec, file: Path, entries: Mapping[str, Any], specs: Sequence[StreamSpec], made: Imported, ctx: RunContext
) -> None:
    """A file that has not been modified since the original read it is known; any other will be read."""
    left = dict.fromkeys(entries, "no stream of the job has such a file")
    for spec in specs:
        known = {}
        for found in _source_files(job, spec, ctx):
            for key in entries.keys() & {f"file_{found['path']}", f"file_{Path(found['path']).name}"}:
                left[key] = "the file has changed since, so it will be read"
                if _unchanged(found, entries[key]):
                    left.pop(key)
                    known[found["path"]] = {
                        "size": found["size"], "mtime_ns": found["mtime_ns"], "sha256": "", "rows": 0,
                    }  # fmt: skip
        if known:
            made.cursors[spec.name, Lane()] = Cursor({"files": known})
    made.left += [(str(file), key, why) for key, why in left.items()]


def _source_files(job: JobSpec, spec: StreamSpec, ctx: RunContext) -> Iterator[Mapping[str, Any]]:
    with reading(job, ctx) as reader:
        window = reader.window(spec, WindowRequest(full=True))
    yield from window.detail.get("files", ())


def _unchanged(found: Mapping[str, Any], entry: Any) -> bool:
    try:
        at = datetime.fromisoformat(str(entry["last_modified"]))
    except (KeyError, TypeError, ValueError):
        return False
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(found["mtime_ns"]) <= (int(at.timestamp()) + 1) * 1_000_000_000
