"""What the files say about themselves: their columns, and types proposed from a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import PurePosixPath

from dativo_provider.connectors.csv.dialect import Dialect
from dativo_provider.connectors.csv.files import CsvFile
from dativo_provider.connectors.csv.header import read_header
from dativo_provider.connectors.csv.infer import column_types, merged
from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.records import border
from dativo_provider.connectors.csv.streams import TextStream
from dativo_provider.errors import ConfigurationError, SourceChanged, Unsupported
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Field, Stream

__all__ = ["Surveyed", "described", "discovered", "newest", "no_column", "refuse_sql", "sampled", "survey"]

_SAMPLE = 1 << 20


@dataclass(frozen=True)
class Surveyed:
    file: Found
    names: tuple[str, ...] = ()
    types: dict[str, str] = field(default_factory=dict)


def refuse_sql(stream: StreamSpec) -> None:
    if stream.where or stream.query:
        raise Unsupported(
            "files cannot be read with 'where' or 'query'",
            where=stream.object,
            remedy="filter with a check or a transformation",
        )


def newest(files: Sequence[Found], count: int) -> list[Found]:
    """The last modified `count`, by name."""
    picked = sorted(files, key=lambda file: file.mtime_ns)[-count:]
    return sorted(picked, key=lambda file: file.path)


def survey(opened: CsvFile, file: Found, dialect: Dialect, infer: bool) -> Surveyed:
    """A file without any record has no columns."""
    with opened:
        return Surveyed(file, *sampled(opened.text, file.path, dialect, infer))


def sampled(text: TextStream, where: str, dialect: Dialect, infer: bool) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of the columns, and types where `infer` asks for them."""
    header = read_header(text, dialect, where)
    if header is None:
        return (), {}
    types = column_types(_sample(header.rest, text.read, dialect), header.names, dialect) if infer else {}
    return header.names, types


def _sample(text: bytes, read: Callable[[int], bytes], dialect: Dialect) -> bytes:
    while len(text) < _SAMPLE:
        more = read(_SAMPLE)
        if not more:
            return text
        text += more
    return text[: border(text, dialect)]


def described(
    stream: StreamSpec, surveys: Sequence[Surveyed], dialect: Dialect, of_paths: Iterable[str] = ()
) -> Stream:
    """All columns of the files in the order they appear, then those that their paths tell.

    Types are the contract's, or proposed ones without it.

    Raises `SourceChanged` when `columns` names one that no file has.
    """
    wanted = {each.name: each.type for each in stream.contract.fields}
    names = _union(each.names for each in surveys) or list(dialect.column_names) or list(wanted)
    types = wanted or merged([each.types for each in surveys])
    if not names:
        raise ConfigurationError(
            f"no file tells the columns of '{stream.object}'",
            remedy="deliver a file with a header, or give the stream a contract",
        )
    names += [name for name in of_paths if name not in names]
    for name in stream.columns:
        if name not in names:
            raise no_column(stream, name, names)
    fields = tuple(Field(name, types.get(name, "string"), source_type="text") for name in stream.columns or names)
    return Stream(stream.name, fields, estimated_bytes=sum(each.file.size for each in surveys))


def _union(groups: Iterable[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in groups for name in names))


def no_column(stream: StreamSpec, name: str, names: Sequence[str]) -> SourceChanged:
    near = get_close_matches(name, names, 1)
    hint = f"did you mean '{near[0]}'? " if near else ""
    return SourceChanged(
        f"no file has a column '{name}'", where=stream.object, remedy=f"{hint}the files have: {', '.join(names)}"
    )


def discovered(surveys: Sequence[Surveyed]) -> list[Stream]:
    """One stream per folder and set of columns; a stream of one file is named after it, else after the folder."""
    groups: dict[tuple[str, tuple[str, ...]], list[Surveyed]] = {}
    for each in surveys:
        if each.names:
            groups.setdefault((str(PurePosixPath(each.file.path).parent), each.names), []).append(each)
    streams: dict[str, Stream] = {}
    for (folder, names), group in groups.items():
        name = _free(_stream_name(folder, group), group, streams)
        types = merged([each.types for each in group])
        streams[name] = Stream(
            name,
            tuple(Field(column, types.get(column, "string"), source_type="text") for column in names),
            description=_paths(group),
            estimated_bytes=sum(each.file.size for each in group),
        )
    return list(streams.values())


def _stem(each: Surveyed) -> str:
    return PurePosixPath(each.file.path).name.partition(".")[0]


def _stream_name(folder: str, group: Sequence[Surveyed]) -> str:
    return _stem(group[0]) if len(group) == 1 or folder == "." else PurePosixPath(folder).name


def _free(name: str, group: Sequence[Surveyed], taken: Iterable[str]) -> str:
    if name not in taken:
        return name
    return "_".join(PurePosixPath(group[0].file.path).with_suffix("").parts)


def _paths(group: Sequence[Surveyed]) -> str:
    first = group[0].file.path
    return first if len(group) == 1 else f"{len(group)} files like {first}"
