"""Reads CSV files in blocks, parsed by a few threads while the next block is read, hashed and unpacked."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from dativo_provider.connectors.base import BaseReader, Tally
from dativo_provider.connectors.csv import CAPABILITIES
from dativo_provider.connectors.csv.blocks import Cutter
from dativo_provider.connectors.csv.convert import typed_columns
from dativo_provider.connectors.csv.dialect import Dialect, dialect_of
from dativo_provider.connectors.csv.files import CsvFile, sha256_of, translated
from dativo_provider.connectors.csv.header import Header, read_header
from dativo_provider.connectors.csv.parse import BlockParser
from dativo_provider.connectors.csv.part import Part
from dativo_provider.connectors.csv.paths import PACKED_NAMES, Found, Roots
from dativo_provider.connectors.csv.rows import parsed, portions, selected
from dativo_provider.connectors.csv.split import split
from dativo_provider.connectors.csv.survey import Surveyed, described, discovered, newest, refuse_sql, survey
from dativo_provider.connectors.csv.windows import Fingerprint, cut, next_cursor, plan_window
from dativo_provider.connectors.files.deleted import window_without
from dativo_provider.connectors.files.options import Options, options_of
from dativo_provider.connectors.files.reread import window_of_options
from dativo_provider.connectors.files.told import PathColumns, globbed, with_columns
from dativo_provider.errors import (
    ConfigurationError,
    DativoError,
)
from dativo_provider.model.batch import Batch
from dativo_provider.model.budget import Budget
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import Cursor, ReadResult, Slice, Stream, Window, WindowRequest

__all__ = ["CsvReader"]

_DESCRIBED_FILES = 64  # headers read to describe a stream; other files' columns are matched by name all the same
_DISCOVERED_FILES = 1000
_LEAST_BLOCK = 64 << 10
_UNPACKED = 5  # how much longer the text of a packed file may be


class CsvReader(BaseReader):
    """`connection.path` says what `check` and `discover` look at; default: the files below the roots named as CSV."""

    capabilities = CAPABILITIES

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self._roots = Roots(source.roots)

    def check(self) -> None:
        """A job's own pattern is for `describe`: here it is enough that there are files and one can be read."""
        with self.border():
            self._roots.check()
            options = self._options().of_format
            dialect_of(options)
            found = self._all()
            if not (found or self._roots.find("**")):
                raise ConfigurationError(
                    f"there is no file below {', '.join(self.source.roots)}",
                    remedy="put files there, or correct the path",
                )
            for file in found[:1]:
                self._survey(file, dialect_of(options, file.path), infer=False)

    def discover(self) -> list[Stream]:
        """One stream per folder and set of columns."""
        with self.border():
            options = self._options().of_format
            dialect_of(options)
            files = newest(self._all(), _DISCOVERED_FILES)
            return discovered([self._survey(file, dialect_of(options, file.path), infer=True) for file in files])

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            refuse_sql(stream)
            dialect, infer = self._dialect(stream), not stream.contract.fields
            found = self._options(stream).recent(self._roots.find(globbed(stream.object)))
            files, told = newest(found, _DESCRIBED_FILES), self._path_columns(stream)
            surveys = [self._survey(file, self._dialect(stream, file), infer) for file in files]
            return described(stream, surveys, dialect, dict.fromkeys(n for file in files for n in told.of(file.path)))

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            options, there = self._options(stream), self._roots.find(globbed(stream.object))
            files = options.recent(there)
            followed = window_without(stream, request, there, files, options.on_deleted_file)
            window = followed or plan_window(stream, request, files, self._same)
            return window_of_options(stream, request, window, files, options.marks, options.on_changed_options)

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        def divided(file: Found, pieces: int) -> list[Part]:
            dialect = self._dialect(stream, file)
            opened = CsvFile(self._roots.locate(file.path), file, dialect)
            return split(opened, dialect, file.path, pieces, self.ctx.check_cancelled)

        with self.border():
            self._dialect(stream)
            return cut(stream, window, want, divided)

    def estimate(self, stream: StreamSpec, window: Window) -> int | None:
        sizes = ((file["size"], file["path"].lower()) for file in window.detail.get("files", ()))
        return sum(int(size) * (_UNPACKED if path.endswith(PACKED_NAMES) else 1) for size, path in sizes)

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        read, told = tally.detail.setdefault("files", {}), self._path_columns(stream)
        threads = max(1, self.ctx.settings.threads)
        with ThreadPoolExecutor(threads, thread_name_prefix="dativo-csv") as pool:
            for facts in piece.spec["files"]:
                file = Found(**facts)
                columns = told.of(file.path)
                read[file.path] = yield from self._file(stream, piece, file, pool, threads, columns)

    @classmethod
    def next_cursor(cls, window: Window, results: Iterable[ReadResult], base: Cursor | None) -> Cursor | None:
        return next_cursor(window, list(results), base)

    def translate(self, error: Exception) -> DativoError | None:
        return translated(error)

    def _all(self) -> list[Found]:
        return self._roots.find(globbed(str(self.source.connection.get("path") or ".")))

    def _same(self, file: Found, before: Fingerprint) -> bool:
        known = before.get("sha256")
        return bool(known) and known == sha256_of(self._roots.locate(file.path), self.ctx.check_cancelled)

    def _survey(self, file: Found, dialect: Dialect, infer: bool) -> Surveyed:
        return survey(CsvFile(self._roots.locate(file.path), file, dialect), file, dialect, infer)

    def _dialect(self, stream: StreamSpec, file: Found | None = None) -> Dialect:
        return dialect_of(self._options(stream).of_format, file.path if file else "")

    def _options(self, stream: StreamSpec | None = None) -> Options:
        """`on_broken_file` is none of this reader's: the dialect refuses it."""
        given = {**self.source.options, **(stream.options if stream else {})}
        made = options_of({name: value for name, value in given.items() if name != "on_broken_file"})
        own = {name: value for name, value in given.items() if name == "on_broken_file"}
        return replace(made, of_format={**made.of_format, **own})

    def _path_columns(self, stream: StreamSpec) -> PathColumns:
        return PathColumns(self._roots.spelled(stream.object), self._options(stream).hive_partitioning)

    def _file(
        self,
        stream: StreamSpec,
        piece: Slice,
        file: Found,
        pool: ThreadPoolExecutor,
        ahead: int,
        columns: Mapping[str, str | None],
    ) -> Generator[Batch, None, dict[str, Any]]:
        """Yields the rows of the file, or of the part the slice names, with `columns`; returns its fingerprint."""
        dialect, rows = self._dialect(stream, file), 0
        part = Part(**piece.spec["part"]) if "part" in piece.spec else None
        with CsvFile(self._roots.locate(file.path), file, dialect) as opened:
            header = read_header(opened.text, dialect, file.path)
            if header:
                types = typed_columns(stream.contract.fields, header.names, piece.as_text)
                parser = BlockParser(stream.name, file.path, header.names, types, dialect)
                cutter, line = self._cutter(opened, header, part, dialect), part.line if part else header.line
                for batch in parsed(parser, cutter, line, pool, ahead):
                    rows += batch.rows
                    made = with_columns(selected(batch, stream.columns), columns, stream.columns)
                    yield from portions(made, dialect.batch_size)
            return opened.finish_part(part, rows) if part else opened.finish(rows)

    def _cutter(self, opened: CsvFile, header: Header, part: Part | None, dialect: Dialect) -> Cutter:
        size = max(_LEAST_BLOCK, Budget.of(self.ctx.settings).block_bytes)
        if part is None:
            return Cutter(opened.text.read, dialect, rest=header.rest, size=size)
        return Cutter(opened.part(part), dialect, size=size)
