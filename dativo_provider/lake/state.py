"""Where a lane stands, as a table property that moves in the commit which holds the rows (ARCHITECTURE 4.3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from pydantic import ValidationError

from dativo_provider.errors import DataError, InternalError
from dativo_provider.files import FileStore, join
from dativo_provider.model.job import JobSpec
from dativo_provider.model.run import Lane, State, dump, load

__all__ = ["other_jobs", "own_lanes", "read_state", "state_key", "summary_of", "write_state"]

PREFIX = "dativo.state."
LARGEST_INLINE = 4096
_LARGEST_SUMMARY = 1024


def state_key(job: JobSpec, stream: str, lane: Lane) -> str:
    return f"{PREFIX}{job.id}.{stream}{lane.suffix}"


def read_state(properties: Mapping[str, str], key: str, files: FileStore, where: str) -> State:
    """The lane's record; a fresh one when there is none. Raises `DataError` when it cannot be trusted."""
    text = properties.get(key)
    if text is None:
        return State()
    try:
        found = json.loads(text)
        return load(State, _external(found, files) if "file" in found else text)
    except (ValueError, KeyError, TypeError, ValidationError, FileNotFoundError) as problem:
        raise DataError(
            f"the state '{key}' cannot be read, so it is unknown which rows are already here",
            where=where,
            remedy="restore the table property (or its state file) from an earlier metadata.json; "
            "or drop it and run a full refresh",
        ) from problem


def _external(found: Mapping[str, str], files: FileStore) -> bytes:
    data = files.read(found["file"])
    if hashlib.sha256(data).hexdigest() != found["sha256"]:
        raise ValueError("checksum")
    return data


def write_state(state: State, plan_id: str, location: str, files: FileStore) -> str:
    """The property's value. A large record becomes an immutable file, named by its content."""
    _check_exact(state)
    data = dump(state)
    if len(data) <= LARGEST_INLINE:
        return data.decode()
    digest = hashlib.sha256(data).hexdigest()
    uri = join(location, "metadata", f"dativo-state-{plan_id}-{digest[:16]}.json")
    if not files.write_new(uri, data) and files.read(uri) != data:
        raise InternalError("another state has the same name", where=uri)
    return json.dumps({"file": uri, "sha256": digest})


def _check_exact(state: State) -> None:
    """JSON has no infinity and no NaN; they would come back as null."""
    try:
        json.dumps(state.cursor.value if state.cursor else None, allow_nan=False, default=str)
    except ValueError as problem:
        raise DataError(
            "the cursor of this run is infinite or not a number, so the next run could not start from it",
            remedy="correct the source's cursor column, or filter such rows with `where`",
        ) from problem


def summary_of(state: State) -> str:
    """The small form for the snapshot's summary: where the lane stood, without its history."""
    cursor = dict(state.cursor.value) if state.cursor else None
    text = json.dumps({"seq": state.seq, "cursor": cursor}, default=str)
    return text if len(text) <= _LARGEST_SUMMARY else json.dumps({"seq": state.seq})


def own_lanes(properties: Mapping[str, str], job: JobSpec, stream: str) -> list[str]:
    """Keys of every lane of this job's stream."""
    live = state_key(job, stream, Lane())
    return [key for key in properties if key == live or key.startswith((f"{live}.backfill.", f"{live}.replay."))]


def other_jobs(properties: Mapping[str, str], job: JobSpec, stream: str) -> list[str]:
    """Keys of streams other than this one that have published here."""
    own = set(own_lanes(properties, job, stream))
    return sorted(key for key in properties if key.startswith(PREFIX) and key not in own)
