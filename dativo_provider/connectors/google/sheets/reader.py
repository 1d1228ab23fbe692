"""Reads sheets as tables: the real grid, header found, types by what cells hold; an unchanged sheet is left alone.

A spreadsheet whose version in Drive is that of the last run is not read at all. Else the sheets that may have changed
are, and their content is compared: https://developers.google.com/workspace/drive/api/reference/rest/v3/files
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.csv.paths import Found
from dativo_provider.connectors.csv.windows import Fingerprint, cut, next_cursor, plan_window
from dativo_provider.connectors.google import SHEETS
from dativo_provider.connectors.google.reader import GoogleReader
from dativo_provider.connectors.google.sheets.columns import kind_of
from dativo_provider.connectors.google.sheets.formats import formats_of
from dativo_provider.connectors.google.sheets.grid import Sheet, chosen, spreadsheet_of
from dativo_provider.connectors.google.sheets.header import Header, headed
from dativo_provider.connectors.google.sheets.options import SheetOptions, options_of
from dativo_provider.connectors.google.sheets.rows import Cells
from dativo_provider.connectors.google.sheets.table import Table
from dativo_provider.connectors.rest.answers import Missing
from dativo_provider.connectors.rest.client import Call, Client
from dativo_provider.errors import ConfigurationError, CredentialError, SourceChanged, Unsupported
from dativo_provider.model.batch import Batch
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Cursor, Field, ReadResult, Slice, Stream, Window, WindowRequest

__all__ = ["SheetsReader"]

_NO_DRIVE = "Drive does not tell whether the spreadsheet changed (scope drive.metadata.readonly), so it is read"
_BYTES = 12  # about what a cell takes as Arrow


class SheetsReader(GoogleReader):
    """`object` of a stream is the spreadsheet's id; its options say which sheets and cells."""

    capabilities = SHEETS

    # plan ---------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Logs in, and looks at the spreadsheets that the connection names."""
        with self.border():
            assert self._sheets.values is not None  # the login
            for spreadsheet in self._named():
                spreadsheet_of(self._ask, spreadsheet)

    def discover(self) -> list[Stream]:
        """One stream per sheet of `connection.spreadsheet_id`."""
        with self.border():
            if not self._named():
                raise ConfigurationError(
                    "Google does not list what is in spreadsheets", where="source.connection",
                    remedy="set source.connection.spreadsheet_id to those to look into",
                )  # fmt: skip
            found = [sheet for each in self._named() for sheet in spreadsheet_of(self._ask, each).sheets]
            options = options_of(self.source.options)
            return [self._described(sheet, options, sheet.title) for sheet in found]

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            _refuse_sql(stream)
            options = self._options(stream)
            typed = frozenset(each.name for each in stream.contract.fields)
            found = [self._described(each, options, stream.name, typed) for each in self._chosen(stream, options)]
            return _united(stream, found)

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            told, modified, notes = self._version(stream.object)
            options = self._options(stream)
            asked = _asked(stream, options)
            version = f"{told}/{asked}" if told else ""
            since = request.since.value.get("versions", {}) if request.since else {}
            ranged = bool(request.start or request.end)
            if version and since.get(stream.object) == version and not (request.full or ranged):
                return Window("empty", cursor=request.since)

            def same(file: Found, before: Fingerprint) -> bool:
                """Other options make other rows of the same cells."""
                alike = str(before.get("version", "")).endswith(f"/{asked}")
                return alike and bool(before["sha256"] == self._digest(sheets[file.path]))

            sheets = {each.path: each for each in self._chosen(stream, options)}
            files = [Found(path, each.cells, modified, f"{modified}/{asked}") for path, each in sheets.items()]
            made = plan_window(stream, request, files, same)
            versions = {stream.object: version} if version else {}
            return replace(made, detail={**made.detail, "versions": versions}, notes=(*made.notes, *notes))

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        return cut(stream, window, 1)

    def estimate(self, stream: StreamSpec, window: Window) -> int | None:
        return sum(int(file["size"]) * _BYTES for file in window.detail.get("files", ()))

    @classmethod
    def next_cursor(cls, window: Window, results: Iterable[ReadResult], base: Cursor | None) -> Cursor | None:
        made, versions = next_cursor(window, list(results), base), window.detail.get("versions")
        return Cursor({**made.value, "versions": versions}) if made and versions else made

    # extract ------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        read, options = tally.detail.setdefault("files", {}), self._options(stream)
        now = {each.path: each for each in self._chosen(stream, options)}
        for facts in piece.spec["files"]:
            planned = Found(**facts)
            if planned.path not in now:
                raise SourceChanged(f"the sheet {planned.path} is gone", where=stream.object, remedy="start a new run")
            read[planned.path] = yield from self._sheet(stream, piece, now[planned.path], options, planned)

    def _sheet(
        self, stream: StreamSpec, piece: Slice, sheet: Sheet, options: SheetOptions, planned: Found
    ) -> Generator[Batch, None, dict[str, Any]]:
        """Yields the rows and returns the fingerprint of what was read."""
        before, rows = self._version(stream.object)[0], 0
        cells = Cells(self._ask, sheet, fill=options.merged == "fill")
        header, chunks = headed(sheet, options, iter(cells))
        if header is not None:
            for batch in self._table(stream, piece, sheet, options, header).batches(chunks):
                rows += batch.rows
                yield batch
        self._require_steady(sheet, cells, before, stream.object)
        return {"size": sheet.cells, "mtime_ns": planned.mtime_ns, "version": planned.version,
                "sha256": cells.digest, "rows": rows}  # fmt: skip

    def _table(self, stream: StreamSpec, piece: Slice, sheet: Sheet, options: SheetOptions, header: Header) -> Table:
        kinds = {each.name: each.type for each in stream.contract.fields}
        names = [each for each in stream.columns or header.names.values() if each in header.names.values()]
        plain = any(kinds.get(name, "string") == "string" for name in names)
        formats = formats_of(self._ask, sheet, header) if plain else {}
        return Table(stream.name, sheet, header, options, names, kinds, formats, piece.as_text)

    def _require_steady(self, sheet: Sheet, cells: Cells, before: str, spreadsheet: str) -> None:
        """One request sees one state of a sheet; of several, the content must be the same when it is read again."""
        if cells.requests < 2 or (before and self._version(spreadsheet)[0] == before):
            return
        if self._digest(sheet) != cells.digest:
            raise SourceChanged(
                "somebody edited the sheet while it was read", where=f"{sheet.path} ({sheet.title})",
                remedy="run again when it is quiet; nothing of this run was published",
            )  # fmt: skip

    # what both need -------------------------------------------------------------------------------------------

    def _chosen(self, stream: StreamSpec, options: SheetOptions) -> list[Sheet]:
        return chosen(spreadsheet_of(self._ask, stream.object), options.sheet_id, options.range)

    def _described(self, sheet: Sheet, options: SheetOptions, name: str, typed: frozenset[str] = frozenset()) -> Stream:
        """Types as the first chunk and the number formats propose them, but for columns that have one."""
        header, chunks = headed(sheet, options, iter(Cells(self._ask, sheet, fill=options.merged == "fill")))
        if header is None:
            return Stream(name)
        formats = formats_of(self._ask, sheet, header) if set(header.names.values()) - typed else {}
        top, rows = next(chunks)
        data = [row for at, row in enumerate(rows, top) if at >= header.row]
        fields = []
        for place, column in header.names.items():
            values = [row[place] if place < len(row) else "" for row in data]
            fields.append(Field(column, kind_of(values, formats.get(column, "")) or "string", source_type="cell"))
        return Stream(name, tuple(fields), description=f"{sheet.title} of {sheet.spreadsheet}")

    def _digest(self, sheet: Sheet) -> str:
        cells = Cells(self._ask, sheet)
        for _ in cells:
            self.ctx.check_cancelled()
        return cells.digest

    def _version(self, spreadsheet: str) -> tuple[str, int, tuple[str, ...]]:
        """Drive's version (empty where it does not tell), the time of the last change in nanoseconds, notes."""
        call = Call(f"/files/{spreadsheet}", params={"fields": "version,modifiedTime", "supportsAllDrives": "true"})
        try:
            told = self.request(lambda: self._drive.send(call).data, "asking Drive for the version")
        except (CredentialError, Missing):
            return "", int(self.ctx.now().timestamp() * 1e9), (_NO_DRIVE,)
        modified = datetime.fromisoformat(told["modifiedTime"])
        return str(told["version"]), int(modified.timestamp() * 1000) * 1_000_000, ()

    def _options(self, stream: StreamSpec) -> SheetOptions:
        return options_of(self.source.options, stream.options)

    def _named(self) -> list[str]:
        given = str(self.google.login.connection.get("spreadsheet_id") or "")
        return [each.strip() for each in given.split(",") if each.strip()]

    # how ----------------------------------------------------------------------------------------------------

    def _ask(self, call: Call, limits: Sequence[str] = ()) -> Any:
        what = f"asking for {call.url.partition(':')[0]}"
        return self.request(lambda: self._sheets.send(call, limits).data, what)

    @property
    def _sheets(self) -> Client:
        return self.google.client("sheets")

    @property
    def _drive(self) -> Client:
        known = self._sheets.values
        return self.google.client("google_drive", str(known["drive_base_url"]), scope=known["scope"])


def _asked(stream: StreamSpec, options: SheetOptions) -> str:
    """Stands for what shapes rows: options, and where a sheet is replaced as a whole its columns and their types."""
    whole = stream.on_changed_file == "replace"
    types = [(each.name, each.type) for each in stream.contract.fields]
    shape = f"{options.model_dump_json()}{(stream.columns, types) if whole else ''}"
    return hashlib.sha256(shape.encode()).hexdigest()[:12]


def _refuse_sql(stream: StreamSpec) -> None:
    if stream.where or stream.query:
        raise Unsupported(
            "sheets cannot be read with 'where' or 'query'", where=stream.object,
            remedy="name cells in `range`, or filter with a transformation",
        )  # fmt: skip


def _united(stream: StreamSpec, found: list[Stream]) -> Stream:
    """All columns of the sheets in order, with the contract's types over those proposed."""
    wanted = {each.name: each.type for each in stream.contract.fields}
    proposed: dict[str, str] = {}
    for field in (field for each in found for field in each.fields):
        kind = proposed.setdefault(field.name, field.type)
        if kind != field.type:
            proposed[field.name] = "double" if {kind, field.type} == {"long", "double"} else "string"
    names = list(proposed) or list(wanted)
    if not names:
        raise ConfigurationError(
            "the sheet is blank, so nothing tells its columns", where=stream.object,
            remedy="write a header into the sheet, or give the stream a contract",
        )  # fmt: skip
    for name in stream.columns:
        if name not in names:
            raise SourceChanged(
                f"the sheet has no column '{name}'", where=stream.object, remedy=f"it has: {', '.join(names)}"
            )
    fields = tuple(Field(name, wanted.get(name) or proposed.get(name, "string"), source_type="cell")
                   for name in stream.columns or names)  # fmt: skip
    return Stream(stream.name, fields)
