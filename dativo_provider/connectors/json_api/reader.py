"""The REST room's reader over a spec that a job says itself."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace

from dativo_provider.connectors.base import Tally
from dativo_provider.connectors.files.formats.records import head_of
from dativo_provider.connectors.json_api import CAPABILITIES
from dativo_provider.connectors.json_api.spec import STREAM, api_at
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.connectors.rest.walks import Walks
from dativo_provider.errors import DataError
from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.stream import Slice, Stream, Window, WindowRequest

__all__ = ["JsonApiReader"]

_UNKNOWN = {"_": "string"}  # stands for columns while the first page is asked for


class JsonApiReader(RestReader):
    """One stream, whatever a job calls it. Columns that nobody declares are those of the first page, for all slices."""

    capabilities = CAPABILITIES

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        self._api: Api | None = None

    @property
    def api(self) -> Api:  # type: ignore[override]
        return self._api or self._about(StreamSpec("", "", "", ContractSpec("")))

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            self._about(stream)
        return super().describe(replace(stream, object=STREAM))

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        with self.border():
            self._about(stream)
        return super().window(replace(stream, object=STREAM), request)

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        with self.border():
            api = self._about(stream)
        columns = {name: each.type for name, each in api.streams[STREAM].columns.items()}
        made = super().slices(replace(stream, object=STREAM), window, want)
        return [replace(each, spec={**each.spec, "columns": columns}) for each in made]

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        self._about(stream, piece.spec["columns"])
        yield from super().batches(replace(stream, object=STREAM), piece, tally)

    def _about(self, stream: StreamSpec, columns: Mapping[str, str] | None = None) -> Api:
        """The spec for this stream's columns, key and cursor."""
        known = columns or self.source.options.get("columns") or {e.name: e.type for e in stream.contract.fields}
        increment = stream.incremental
        cursor = increment.cursor_field if increment.strategy != "full_refresh" else ""
        columns = known or self._shown()
        self._api = api_at(self.source.options, self.source.connection, columns, stream.identity, cursor)
        return self._api

    def _shown(self) -> dict[str, str]:
        """The columns of the first page's records. Raises `DataError` where it has none."""
        if self._api is not None:
            return {name: each.type for name, each in self._api.streams[STREAM].columns.items()}
        options = {name: value for name, value in self.source.options.items() if name != "incremental"}
        self._api = api_at(options, self.source.connection, _UNKNOWN, (), "")
        walks = Walks(self._api, Slice(0, STREAM), self._client(), self.request)
        page = next((page for page, _ in walks.pages(self._api.streams[STREAM], ())), None)
        records = [each for each in page.records if isinstance(each, dict)] if page else []
        types = {name: kind for name, kind in head_of(records, infer=True).types.items() if name and "." not in name}
        self._clients.clear()
        if not types:
            raise DataError(
                "the first answer holds no record that would show the columns", where="source.options",
                remedy="say where the records are (`records`), or name the columns in a contract or as `columns`",
            )  # fmt: skip
        return types
