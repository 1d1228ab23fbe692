"""The messages of a tap. https://hub.meltano.com/singer/spec#messages"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dativo_provider.connectors.bridge.messages import Garbage, Message, Position, Record, decode, plain
from dativo_provider.errors import ConfigurationError, SourceChanged

__all__ = ["batched", "message_of"]

_SILENT = frozenset({"SCHEMA", "ACTIVATE_VERSION"})
_GONE = "_sdc_deleted_at"


def message_of(line: bytes, names: frozenset[str]) -> Message | None:
    found = decode(line)
    if found is None:
        return Garbage("it is no JSON object")
    kind = found.get("type")
    if kind == "RECORD":
        return _record(found, names)
    if kind == "STATE":
        return _position(plain(line))
    return None if kind in _SILENT else Garbage("it is no message of Singer's")


def _record(found: Mapping[str, Any], names: frozenset[str]) -> Message | None:
    values = found.get("record")
    if not isinstance(values, dict):
        return Garbage("it is a RECORD without a record")
    stream = str(found.get("stream"))
    if stream not in names:
        return None  # a parent that was selected along
    return Record(stream, values, values.get(_GONE) is not None)


def _position(said: Any) -> Message:
    """Without what a tap notes to resume an interrupted run: a run of ours is whole or nothing."""
    if not isinstance(said, dict):
        return Garbage("it is a STATE that nothing can be given back of")
    value = said.get("value")
    if not isinstance(value, dict):
        return Position(value)
    return Position({name: each for name, each in value.items() if name != "currently_syncing"})


def batched(lines: Iterator[tuple[int, bytes]], folder: Path) -> Iterator[tuple[int, bytes]]:
    """`lines` with the records of BATCH messages in their place, as RECORD messages."""
    for number, line in lines:
        if b'"BATCH"' in line and (found := decode(line)) and found.get("type") == "BATCH":
            for record in _records(found, folder):
                yield number, record
        else:
            yield number, line


def _records(batch: Mapping[str, Any], folder: Path) -> Iterator[bytes]:
    import msgspec

    encoding = batch.get("encoding") or {}
    if encoding.get("format") != "jsonl" or encoding.get("compression") not in ("gzip", "none", None):
        raise ConfigurationError(
            f"the tap sends batches as {encoding.get('format')} with {encoding.get('compression')}",
            remedy="set batch_config.encoding of the tap to jsonl with gzip",
        )
    head = b'{"type":"RECORD","stream":' + msgspec.json.encode(str(batch.get("stream"))) + b',"record":'
    for uri in batch.get("manifest") or ():
        path = Path(unquote(urlsplit(str(uri)).path))
        if not path.resolve().is_relative_to(folder.resolve()):
            raise SourceChanged("the tap names a file of records outside its own folder", remedy="set `batches: true`")
        with gzip.open(path) if encoding.get("compression") == "gzip" else path.open("rb") as file:
            yield from (head + line.rstrip() + b"}" for line in file if line.strip())
        path.unlink()
