"""A large mapping of a cursor (files, partitions) as a few immutable files, so that a run writes what it changed.

A log-structured map: every run appends one segment with the entries it put and dropped. While the last segment is
at least half as long as the one before it, the two become one; so there are at most log2(entries) segments, and each
entry is written log2(entries) times in its life instead of once in every run.
O'Neil et al., The Log-Structured Merge-Tree (1996), https://doi.org/10.1007/s002360050048
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.errors import InternalError
from dativo_provider.files import FileStore

__all__ = ["Named", "append", "entries", "segment_uri"]

Named = Sequence[Any]  # `[name, entries]`, as JSON keeps it; the name ends with the hash of the content
_HASH = 32


@dataclass(frozen=True)
class _Segment:
    put: Mapping[str, Any]
    drop: Sequence[str] = ()
    name: str = field(default="", compare=False)  # empty: not written yet

    def __len__(self) -> int:
        return len(self.put) + len(self.drop)

    def then(self, later: _Segment, *, first: bool) -> _Segment:
        """Both in one. The first segment of a log has nothing below it to drop from."""
        gone = set(later.drop)
        put = {key: value for key, value in self.put.items() if key not in gone} | dict(later.put)
        drop = [] if first else [key for key in dict.fromkeys((*self.drop, *later.drop)) if key not in put]
        return _Segment(put, drop)


def segment_uri(at: str, name: str) -> str:
    return f"{at}{name}.json"


def entries(at: str, named: Sequence[Named], files: FileStore) -> dict[str, Any]:
    """The mapping. Raises `ValueError` or `FileNotFoundError` when a segment is not what was written."""
    found: dict[str, Any] = {}
    for segment in _load(at, named, files):
        for key in segment.drop:
            found.pop(key, None)
        found.update(segment.put)
    return found


def append(at: str, named: Sequence[Named], wanted: Mapping[str, Any], run: str, files: FileStore) -> list[Named]:
    """The segments of `wanted`: those of `named` that still hold, and one new file at most."""
    log = _load(at, named, files)
    change = _difference(_merged(log), wanted)
    if not change.put and not change.drop:
        return [list(each) for each in named]
    log.append(change if log else _Segment(dict(wanted)))
    while len(log) > 1 and len(log[-2]) <= 2 * len(log[-1]):
        last = log.pop()
        log[-1] = log[-1].then(last, first=len(log) == 1)
    return [[each.name or _write(at, each, run, files), len(each)] for each in log]


def _merged(log: Sequence[_Segment]) -> Mapping[str, Any]:
    whole = _Segment({})
    for segment in log:
        whole = whole.then(segment, first=True)
    return whole.put


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> _Segment:
    missing = object()
    put = {key: value for key, value in after.items() if before.get(key, missing) != value}
    return _Segment(put, [key for key in before if key not in after])


def _load(at: str, named: Sequence[Named], files: FileStore) -> list[_Segment]:
    return [_read(at, str(name), files) for name, _count in named]


def _read(at: str, name: str, files: FileStore) -> _Segment:
    data = files.read(segment_uri(at, name))
    if _digest(data) != name.rpartition("-")[2]:
        raise ValueError("checksum")
    found = json.loads(data)
    return _Segment(found["put"], found["drop"], name)


def _write(at: str, segment: _Segment, run: str, files: FileStore) -> str:
    """The run is in the name, so that no sweep of an old file can meet a new one of the same content."""
    data = json.dumps({"put": segment.put, "drop": list(segment.drop)}, ensure_ascii=False, default=str).encode()
    name = f"{run}-{_digest(data)}"
    uri = segment_uri(at, name)
    if not files.write_new(uri, data) and files.read(uri) != data:
        raise InternalError("another state has the same name", where=uri)
    return name


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_HASH]
