"""What the files of a stream say about themselves, taken together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.survey import no_column
from dativo_provider.connectors.files.formats import Head
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.matching import match_names
from dativo_provider.model.stream import Field, Stream
from dativo_provider.model.widening import wider

__all__ = ["Surveyed", "described", "discovered"]


@dataclass(frozen=True)
class Surveyed:
    file: Found
    head: Head


def described(stream: StreamSpec, surveys: Sequence[Surveyed], of_paths: Iterable[str] = ()) -> Stream:
    """All columns of the files in the order they appear, then those that their paths tell.

    Files that name types keep them; text has those of the contract. Raises `SourceChanged` when `columns` names a
    column that no file has, `ConfigurationError` when nothing tells the columns.
    """
    heads = [each.head for each in surveys]
    types = _united(heads)
    declared = _declared(stream, list(types))
    names = [*types, *(_unseen(stream, list(types)) if not heads or any(each.sparse for each in heads) else ())]
    if not names:
        raise ConfigurationError(
            f"no file tells the columns of '{stream.object}'", remedy="deliver a file, or give the stream a contract"
        )
    names += [name for name in of_paths if name not in names]
    for name in stream.columns:
        if name not in names:
            raise no_column(stream, name, names)
    typed = all(each.typed for each in heads) and bool(heads)
    kinds = {**declared, **types} if typed else {**types, **declared}
    fields = tuple(Field(name, kinds.get(name, "string"), source_type="file") for name in stream.columns or names)
    return Stream(stream.name, fields, estimated_bytes=sum(each.file.size for each in surveys))


def _declared(stream: StreamSpec, names: Sequence[str]) -> dict[str, str]:
    """The contract's types, by the names that the files have."""
    fields = stream.contract.fields
    places = match_names(fields, names)
    return {
        (field.name if place is None else names[place]): field.type for field, place in zip(fields, places, strict=True)
    }


def _unseen(stream: StreamSpec, names: Sequence[str]) -> list[str]:
    places = match_names(stream.contract.fields, names)
    return [field.name for field, place in zip(stream.contract.fields, places, strict=True) if place is None]


def _united(heads: Iterable[Head]) -> dict[str, str]:
    """One type per column that holds those of all files, else text."""
    found: dict[str, str] = {}
    for head in heads:
        for name in head.names:
            kind = head.types.get(name, "string")
            found[name] = wider(found.get(name, kind), kind) or "string"
    return found


def discovered(surveys: Sequence[Surveyed]) -> list[Stream]:
    """One stream per folder and set of columns; one of a single file is named after it, else after the folder."""
    groups: dict[tuple[str, tuple[str, ...]], list[Surveyed]] = {}
    for each in surveys:
        if each.head.names:
            groups.setdefault((str(PurePosixPath(each.file.path).parent), each.head.names), []).append(each)
    streams: dict[str, Stream] = {}
    for (folder, _), group in groups.items():
        path = PurePosixPath(group[0].file.path)
        name = path.name.partition(".")[0] if len(group) == 1 or folder == "." else PurePosixPath(folder).name
        if name in streams:
            name = "_".join(path.with_suffix("").parts[-3:])
        streams[name] = _stream(name, group)
    return list(streams.values())


def _stream(name: str, group: Sequence[Surveyed]) -> Stream:
    first = group[0].file.path
    fields = tuple(Field(column, kind, source_type="file") for column, kind in _united(e.head for e in group).items())
    told = first if len(group) == 1 else f"{len(group)} files like {first}"
    return Stream(name, fields, description=told, estimated_bytes=sum(each.file.size for each in group))
