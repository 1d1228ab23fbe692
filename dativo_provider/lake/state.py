"""Where a lane stands, as a table property that moves in the commit which holds the rows (ARCHITECTURE 4.3).

The property is `{seq, cursor, runs, pending, contract_version}`. A cursor of more than 1 KB keeps its mappings
(files, partitions) in segment files, named in `log`: `{at, parts: {<mapping>: [[segment, entries], ...]}}`. What is
still over 4 KB is one file, and the property `{file, sha256, seq}`. A snapshot's summary holds the same without the
history, so that a table that is rolled back knows where each lane stood.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from dativo_provider.errors import DataError, InternalError
from dativo_provider.files import FileStore, join
from dativo_provider.lake.crypt import opened
from dativo_provider.lake.segments import append, entries, segment_uri
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import Lane, State, dump, load

__all__ = [
    "lane_of", "other_jobs", "own_lanes", "read_state", "state_files", "state_key", "summary_of", "write_state",
]  # fmt: skip

PREFIX = "dativo.state."
LARGEST_INLINE = 4096
_LARGEST_CURSOR = 1024
_HISTORY = ("runs", "pending", "contract_version")


def state_key(job: JobSpec, stream: str, lane: Lane) -> str:
    return f"{PREFIX}{job.id}.{stream}{lane.suffix}"


def lane_of(key: str) -> str:
    """The lane's name in snapshot summaries: its property's without the prefix."""
    return key.removeprefix(PREFIX)


def read_state(properties: Mapping[str, str], key: str, files: FileStore, where: str) -> State:
    """The lane's record; a fresh one when there is none. Raises `DataError` when it cannot be trusted."""
    text = properties.get(key)
    if text is None:
        return State()
    try:
        return opened(load(State, _whole(json.loads(text), text, files)), files, where, key)
    except (ValueError, KeyError, TypeError, ValidationError, FileNotFoundError) as problem:
        raise DataError(
            f"the state '{key}' cannot be read, so it is unknown which rows are already here",
            where=where,
            remedy="restore the table property (or its state file) from an earlier metadata.json; "
            "or drop it and run a full refresh",
        ) from problem


def _whole(found: dict[str, Any], text: str, files: FileStore) -> bytes | str:
    if "file" in found:
        return _external(found, files)
    if "log" not in found:
        return text
    log = found.pop("log")
    parts = {name: entries(log["at"], named, files) for name, named in log["parts"].items()}
    found["cursor"]["value"].update(parts)
    return json.dumps(found)


def _external(found: Mapping[str, Any], files: FileStore) -> bytes:
    data = files.read(found["file"])
    if hashlib.sha256(data).hexdigest() != found["sha256"]:
        raise ValueError("checksum")
    return data


def write_state(state: State, plan_id: str, location: str, files: FileStore, before: str | None = None) -> str:
    """The property's value. `before` is the one it takes the place of: what it has in files stays there."""
    _check_exact(state)
    text = dump(state).decode()
    if state.cursor and len(json.dumps(dict(state.cursor.value), default=str)) > _LARGEST_CURSOR:
        text = _in_segments(json.loads(text), plan_id, location, files, before)
    return text if len(text) <= LARGEST_INLINE else _in_one_file(state, plan_id, location, files)


def _in_segments(record: dict[str, Any], plan_id: str, location: str, files: FileStore, before: str | None) -> str:
    """`record` with every mapping of its cursor in segments."""
    at = join(location, "metadata", "dativo-state-")
    log = json.loads(before).get("log", {}) if before else {}
    known = log["parts"] if log.get("at") == at else {}
    value = record["cursor"]["value"]
    large = {name: part for name, part in value.items() if isinstance(part, dict) and part}
    if not large:
        return json.dumps(record)
    record["cursor"]["value"] = {name: part for name, part in value.items() if name not in large}
    parts = {name: append(at, known.get(name, ()), part, plan_id, files) for name, part in large.items()}
    return json.dumps({**record, "log": {"at": at, "parts": parts}})


def _in_one_file(state: State, plan_id: str, location: str, files: FileStore) -> str:
    data = dump(state)
    digest = hashlib.sha256(data).hexdigest()
    uri = join(location, "metadata", f"dativo-state-{plan_id}-{digest[:16]}.json")
    if not files.write_new(uri, data) and files.read(uri) != data:
        raise InternalError("another state has the same name", where=uri)
    return json.dumps({"seq": state.seq, "file": uri, "sha256": digest})


def _check_exact(state: State) -> None:
    """JSON has no infinity and no NaN; they would come back as null."""
    try:
        json.dumps(state.cursor.value if state.cursor else None, allow_nan=False, default=str)
    except ValueError as problem:
        raise DataError(
            "the cursor of this run is infinite or not a number, so the next run could not start from it",
            remedy="correct the source's cursor column, or filter such rows with `where`",
        ) from problem


def summary_of(record: str) -> str:
    """A property's value for the snapshot's summary: where the lane stood, without its history."""
    return json.dumps({name: value for name, value in json.loads(record).items() if name not in _HISTORY})


def state_files(record: str) -> Iterator[str]:
    """The files a property's value or a summary refers to."""
    found = json.loads(record)
    if "file" in found:
        yield found["file"]
    log = found.get("log", {"at": "", "parts": {}})
    yield from (segment_uri(log["at"], name) for named in log["parts"].values() for name, _count in named)


def own_lanes(properties: Mapping[str, str], job: JobSpec, stream: str) -> list[str]:
    """Keys of every lane of this job's stream."""
    live = state_key(job, stream, Lane())
    return [key for key in properties if key == live or key.startswith((f"{live}.backfill.", f"{live}.replay."))]


def other_jobs(properties: Mapping[str, str], job: JobSpec, stream: str) -> list[str]:
    """Keys of streams other than this one that have published here."""
    own = set(own_lanes(properties, job, stream))
    return sorted(key for key in properties if key.startswith(PREFIX) and key not in own)
