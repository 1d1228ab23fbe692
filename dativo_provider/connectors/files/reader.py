"""Files as a source, wherever they are and whatever their format: found, told from what was read before, and read."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from dativo_provider.connectors.base import BaseReader, Tally
from dativo_provider.connectors.csv.paths import PACKED_NAMES, Found
from dativo_provider.connectors.csv.survey import newest, refuse_sql
from dativo_provider.connectors.csv.windows import cut, next_cursor, plan_window
from dativo_provider.connectors.files import CAPABILITIES
from dativo_provider.connectors.files.deleted import window_without
from dativo_provider.connectors.files.formats import Asked
from dativo_provider.connectors.files.formats.base import Division, Span
from dativo_provider.connectors.files.options import Options, options_of
from dativo_provider.connectors.files.place import Place
from dativo_provider.connectors.files.reread import window_of_options
from dativo_provider.connectors.files.survey import Surveyed, described, discovered
from dativo_provider.connectors.files.told import PathColumns, globbed, with_columns
from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.model.batch import Batch
from dativo_provider.model.budget import Budget
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Cursor, ReadResult, Slice, Stream, Window, WindowRequest

__all__ = ["FilesReader"]

_DESCRIBED_FILES = 64  # heads read to describe a stream; other files' columns are matched by name all the same
_DISCOVERED_FILES = 1000
_LEAST_BLOCK = 64 << 10
_EXPECTED = 4  # small files fetched ahead
_UNPACKED = 5  # how much longer the text of a packed file may be


class FilesReader(BaseReader):
    """A leaf says which place it reads. `connection.path` is what `check` and `discover` look at."""

    capabilities = CAPABILITIES
    form: ClassVar[str] = ""  # the format of all its files; else their names tell it

    @abstractmethod
    def place_of(self) -> Place: ...

    def everything(self) -> str:
        """What `check` and `discover` look at where the job does not say it."""
        return "."

    @cached_property
    def place(self) -> Place:
        return self.place_of()

    # plan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        with self.border():
            self.place.check()
            found = self._all()
            if not found:
                raise ConfigurationError(
                    f"there is no file in {self._everything()} below {', '.join(self.source.roots)}",
                    remedy="put files there, or correct the path",
                )
            self._surveyed(newest(found, 1)[0], options_of(self.source.options, self.form), infer=False)

    def discover(self) -> list[Stream]:
        with self.border():
            files, options = newest(self._all(), _DISCOVERED_FILES), options_of(self.source.options, self.form)
            return discovered([each for file in files if (each := self._told(file, options, infer=True))])

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            refuse_sql(stream)
            options, infer = self._options(stream), not stream.contract.fields
            files, told = newest(self._find(stream, options), _DESCRIBED_FILES), self._path_columns(stream)
            surveys = [each for file in files if (each := self._told(file, options, infer))]
            return described(stream, surveys, dict.fromkeys(name for file in files for name in told.of(file.path)))

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            options, there = self._options(stream), self.place.find(globbed(stream.object))
            files = options.recent(there)
            followed = window_without(stream, request, there, files, options.on_deleted_file)
            window = followed or plan_window(stream, request, files, self.place.same)
            return window_of_options(stream, request, window, files, options.marks, options.on_changed_options)

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        with self.border():
            options = self._options(stream)
            return cut(stream, window, want, lambda file, pieces: self._divided(file, pieces, options))

    def estimate(self, stream: StreamSpec, window: Window) -> int | None:
        sizes = ((file["size"], file["path"].lower()) for file in window.detail.get("files", ()))
        return sum(int(size) * (_UNPACKED if path.endswith(PACKED_NAMES) else 1) for size, path in sizes)

    # extract ------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        read, unknown = tally.detail.setdefault("files", {}), set[str]()
        told = self._path_columns(stream)
        span = Span(**piece.spec["part"]) if "part" in piece.spec else None
        with ThreadPoolExecutor(max(1, self.ctx.settings.threads), thread_name_prefix="dativo-files") as pool:
            files = [Found(**facts) for facts in piece.spec["files"]]
            for number, file in enumerate(files, 1):
                self.place.expect(files[number : number + _EXPECTED])
                asked = self._asked(stream, file, piece, pool, unknown)
                columns = told.of(file.path)
                read[file.path] = yield from self._file(stream, file, asked, span, columns)
        if unknown:
            tally.detail["unknown_fields"] = sorted(unknown)
            names = ", ".join(sorted(unknown)[:20])
            self.ctx.log.warning(
                "%s: columns that the heads of the files do not show were left out: %s", stream.name, names
            )

    @classmethod
    def next_cursor(cls, window: Window, results: Iterable[ReadResult], base: Cursor | None) -> Cursor | None:
        return next_cursor(window, list(results), base)

    def close(self) -> None:
        if "place" in self.__dict__:
            self.place.close()

    # how ----------------------------------------------------------------------------------------------------

    def _file(
        self, stream: StreamSpec, file: Found, asked: Asked, span: Span | None, columns: Mapping[str, str | None]
    ) -> Generator[Batch, None, dict[str, Any]]:
        """Yields the rows of the file, or of `span`, with `columns`, and returns the file's fingerprint."""
        options, rows, facts = self._options(stream), 0, dict[str, Any]()
        form = options.format(file.path)
        try:
            with self.place.open(file, form.jumps or span is not None) as opened:
                for batch in form.batches(opened.file, asked, span):
                    rows += batch.rows
                    yield with_columns(batch, columns, stream.columns)
                facts = opened.finish(whole=span is None or span.first)
        except DataError as error:
            yield options.after(error, asked)
            rows += 1
        return {**_known(file), **facts, "rows": rows}

    def _divided(self, file: Found, pieces: int, options: Options) -> list[Span]:
        form = options.format(file.path)
        try:
            with self.place.open(file, form.jumps) as opened:
                asked = Division(file.path, file.size, pieces, self.ctx.check_cancelled)
                spans = form.spans(opened.file, asked)
        except DataError as error:
            if not options.tolerates(error):
                raise
            spans = []  # who reads it says what is broken
        if not spans:
            self.ctx.log.info("%s cannot be divided: one task reads its %d MB", file.path, file.size >> 20)
        return [replace(span, first=number == 0) for number, span in enumerate(spans)]

    def _asked(
        self, stream: StreamSpec, file: Found, piece: Slice, pool: ThreadPoolExecutor, unknown: set[str]
    ) -> Asked:
        size = max(_LEAST_BLOCK, Budget.of(self.ctx.settings).block_bytes)
        threads = max(1, self.ctx.settings.threads)
        return Asked(stream, file.path, pool, threads, min(size, 4 << 20), piece.as_text, unknown, self.ctx.now())

    def _everything(self) -> str:
        return str(self.source.connection.get("path") or self.everything())

    def _all(self) -> list[Found]:
        return self.place.find(globbed(self._everything()))

    def _find(self, stream: StreamSpec, options: Options) -> list[Found]:
        return options.recent(self.place.find(globbed(stream.object)))

    def _path_columns(self, stream: StreamSpec) -> PathColumns:
        return PathColumns(self.place.spelled(stream.object), self._options(stream).hive_partitioning)

    def _options(self, stream: StreamSpec) -> Options:
        return options_of({**self.source.options, **stream.options}, self.form)

    def _surveyed(self, file: Found, options: Options, infer: bool) -> Surveyed:
        form = options.format(file.path)
        with self.place.open(file, form.jumps) as opened:
            return Surveyed(file, form.head(opened.file, file.path, infer))

    def _told(self, file: Found, options: Options, infer: bool) -> Surveyed | None:
        """None for a broken file, where such files do not stop a run."""
        try:
            return self._surveyed(file, options, infer)
        except DataError as error:
            if not options.tolerates(error):
                raise
            return None


def _known(file: Found) -> dict[str, Any]:
    version = {"version": file.version} if file.version else {}
    return {"size": file.size, "mtime_ns": file.mtime_ns, **version}
