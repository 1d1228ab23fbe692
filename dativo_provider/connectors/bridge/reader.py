"""What every bridge does alike: one process for one stream, its messages as batches, its state as our cursor.

The state that a run ends with is committed with the rows it stands for. A connector that dies, hangs or says that it
failed leaves nothing, and the next run begins where the last published one ended.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors._masking import secret_values
from dativo_provider.connectors.base import BaseReader, Tally
from dativo_provider.connectors.bridge.edge import Edge
from dativo_provider.connectors.bridge.failures import failure_of
from dativo_provider.connectors.bridge.messages import Failed, Garbage, Message, Position, Record, Said
from dativo_provider.connectors.bridge.rows import Rows
from dativo_provider.envs.lines import Conversation, Ended, Program
from dativo_provider.envs.process import WorkerFailed
from dativo_provider.errors import ConfigurationError, DativoError, SourceChanged, SourceUnavailable
from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.batch import Batch
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec, StreamSpec
from dativo_provider.model.stream import Capabilities, Cursor, Field, Slice, Stream, Window, WindowRequest

__all__ = ["BRIDGED", "BridgeReader"]

BRIDGED = Capabilities(incremental=True, ordered_cursor=False, deletes=True)
# Of the operator's environment a connector sees how to reach the network, and nothing else.
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE",
            "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # fmt: skip
_TOLD = 3  # lines of garbage that are told one by one
_SHOWN = 1 << 20  # bytes of such a line; more than a reject keeps, so that no secret is cut in two


class BridgeReader(BaseReader):
    capabilities = BRIDGED

    def __init__(self, source: SourceSpec, ctx: RunContext) -> None:
        super().__init__(source, ctx)
        for secret in secret_values(self.config):
            self.masker.add(secret)
        self._talking: Conversation | None = None
        self._known: dict[str, Mapping[str, Any]] | None = None

    # What a protocol fills -------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def config(self) -> dict[str, Any]:
        """What the connector itself is told."""

    @abstractmethod
    def catalog(self) -> dict[str, Mapping[str, Any]]:
        """What the connector says there is, by the name of the stream."""

    @abstractmethod
    def fields(self, entry: Mapping[str, Any]) -> tuple[Field, ...]: ...

    @abstractmethod
    def key(self, entry: Mapping[str, Any]) -> tuple[str, ...]: ...

    @abstractmethod
    def read_program(self, folder: Path, stream: StreamSpec, spec: Mapping[str, Any]) -> Program:
        """How to read the stream that `spec["entry"]` describes from `spec["state"]` on; its files are in `folder`."""

    @abstractmethod
    def cursor_column(self, stream: StreamSpec, entry: Mapping[str, Any], full: bool) -> str:
        """The property that says what is new, where the connector goes by one; else empty."""

    @abstractmethod
    def follows(self, stream: StreamSpec, entry: Mapping[str, Any]) -> bool:
        """Whether a later read brings only what is new; else it brings everything again."""

    @abstractmethod
    def message(self, line: bytes, names: frozenset[str]) -> Message | None:
        """What a line says of the streams called `names`; None when it is of no consequence."""

    @abstractmethod
    def names(self, entry: Mapping[str, Any]) -> frozenset[str]:
        """What the stream is called in messages."""

    # plan --------------------------------------------------------------------------------------------------------

    def discover(self) -> list[Stream]:
        with self.border():
            return [self._stream(name, entry) for name, entry in self._catalog().items()]

    def describe(self, stream: StreamSpec) -> Stream:
        with self.border():
            name, entry = self.entry(stream)
            made = self._stream(stream.name, entry)
            have = {each.name: each for each in made.fields}
            own = [each for each in stream.contract.fields if each.name not in have]
            wanted = {each.name: have.get(each.name, each) for each in (*made.fields, *own)}
            for column in stream.columns:
                if column not in wanted:
                    hint = did_you_mean(column, wanted) or f"it has: {listed(wanted)}"
                    raise SourceChanged(f"'{name}' has no column '{column}'", where=name, remedy=hint)
            return replace(made, fields=tuple(wanted[each] for each in stream.columns or wanted))

    def window(self, stream: StreamSpec, request: WindowRequest) -> Window:
        if request.start or request.end:
            raise ConfigurationError(
                f"'{stream.name}' is read from a position that only its connector understands, so it has no range",
                remedy="read it in full; where it should begin is a setting of the connector, such as start_date",
            )
        full = request.full or stream.incremental.strategy == "full_refresh" or not self._follows(stream)
        if full or request.since is None:
            return Window("full" if full else "incremental", detail={"full": full})
        detail = {"full": False, **request.since.value}
        return Window("incremental", overlap=bool(stream.identity), detail=detail)

    def slices(self, stream: StreamSpec, window: Window, want: int) -> list[Slice]:
        """One: a connector has one state. The catalog's entry goes along, so that it is asked for once a run."""
        with self.border():
            name, entry = self.entry(stream)
            return [Slice(0, stream.name, {**window.detail, "name": name, "entry": dict(entry), **self.beside(stream)})]

    def _follows(self, stream: StreamSpec) -> bool:
        with self.border():
            return self.follows(stream, self.entry(stream)[1])

    def beside(self, stream: StreamSpec) -> dict[str, Any]:
        """What else of the catalog the read of `stream` needs."""
        return {}

    def entry(self, stream: StreamSpec) -> tuple[str, Mapping[str, Any]]:
        """Raises `ConfigurationError` with the nearest name."""
        found = self._catalog()
        for wanted in (stream.object, stream.name):
            if wanted in found:
                return wanted, found[wanted]
            for name, entry in found.items():
                if wanted == name or wanted in self.names(entry):
                    return name, entry
        wanted = stream.object or stream.name
        hint = did_you_mean(wanted, found) or f"there are: {listed(found)}"
        raise ConfigurationError(f"{self.title} has no stream '{wanted}'", remedy=hint)

    def _catalog(self) -> dict[str, Mapping[str, Any]]:
        if self._known is None:
            self._known = self.catalog()
        return self._known

    def _stream(self, name: str, entry: Mapping[str, Any]) -> Stream:
        return Stream(name, self.fields(entry), self.key(entry))

    # extract -----------------------------------------------------------------------------------------------------

    def batches(self, stream: StreamSpec, piece: Slice, tally: Tally) -> Generator[Batch, None, None]:
        spec = dict(piece.spec)
        if "entry" not in spec:
            spec["name"], spec["entry"] = self.entry(stream)
        self._known = {spec["name"]: spec["entry"]}
        column = self.cursor_column(stream, spec["entry"], bool(spec.get("full")))
        edge = Edge(column, spec.get("edge")) if column else None
        days = {each.name for each in stream.contract.fields if each.type == "date"}
        rows = Rows(stream.name, self.describe(stream).fields, piece.as_text, days)
        with TemporaryFolder("bridge") as folder:
            program = self.read_program(Path(folder), stream, spec)
            with closing(self._messages(program, self.names(spec["entry"]))) as messages:
                yield from self._gathered(messages, rows, edge, tally, spec)
        yield from rows.rest()
        self._tell(stream, rows, edge, tally)

    def _gathered(
        self,
        messages: Iterator[tuple[int, bytes, Message | None]],
        rows: Rows,
        edge: Edge | None,
        tally: Tally,
        spec: Mapping[str, Any],
    ) -> Iterator[Batch]:
        state, garbage = spec.get("state"), 0
        for number, line, message in messages:
            full = False
            if isinstance(message, Record):
                if edge is None or edge.is_new(message.values):
                    full = rows.add(message.values, number, len(line), message.gone)
            elif isinstance(message, Position):
                state = self.moved(state, message.state)
            elif isinstance(message, Garbage):
                garbage += 1
                self._tell_garbage(number, line, message, garbage)
                shown = self.masker.mask(line[:_SHOWN].decode(errors="replace"))
                full = rows.reject(number, shown, f"line {number} of {self.title}: {message.reason}")
            if full:
                yield from rows.rest()
        if state is not None:
            tally.cursor = Cursor({"state": state, **({"edge": edge.value()} if edge else {})})

    def moved(self, state: Any, said: Any) -> Any:
        """The state after `state` when the connector has said `said`."""
        return said

    def _tell_garbage(self, number: int, line: bytes, message: Garbage, count: int) -> None:
        if count <= _TOLD:
            self.ctx.log.warning("line %d of %s (%d bytes): %s", number, self.title, len(line), message.reason)

    def _tell(self, stream: StreamSpec, rows: Rows, edge: Edge | None, tally: Tally) -> None:
        if rows.extra:
            tally.detail["unknown_fields"] = sorted(rows.extra)
            names = ", ".join(sorted(rows.extra))
            self.ctx.log.warning("%s: %s sends properties that it has not announced: %s", stream.name, self.title,
                                 names)  # fmt: skip
        if edge and edge.crowded and not stream.identity:
            self.ctx.log.warning("%s: too many rows share the last %s: without a key the next run brings them again",
                                 stream.name, edge.column)  # fmt: skip
        if edge and edge.repeated:
            tally.detail["sent_again"] = edge.repeated

    # how ---------------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """What people call the connector."""
        return self.source.connector

    def interrupt(self) -> None:
        if self._talking:
            self._talking.kill()

    def translate(self, error: Exception) -> DativoError | None:
        if isinstance(error, Ended):
            return failure_of(self.title, str(error), error.said, self.masker)
        if isinstance(error, WorkerFailed):
            return SourceUnavailable(f"{self.title}: {error}", remedy="see the log of the task for what it said")
        return None

    def asked(self, program: Program) -> Iterator[tuple[int, bytes]]:
        """The lines that `program` writes; what it complains of goes to our log."""
        self._talking = talking = Conversation(program, self.hear, self.ctx.check_cancelled)
        with closing(talking.lines()) as lines:
            yield from lines
        self._talking = None

    def _messages(
        self, program: Program, names: frozenset[str], every: bool = False
    ) -> Generator[tuple[int, bytes, Message | None], None, None]:
        """Those that are of consequence, or of every line. Raises what the connector says has failed; that is more
        than its exit code tells."""
        failed: DativoError | None = None
        try:
            for number, line in self.asked(program):
                message = self.message(line, names) if line.strip() else None
                if isinstance(message, Failed):
                    failed = failed or message.error
                elif isinstance(message, Said):
                    self.hear(message.text, message.level)
                elif message is not None or every:
                    yield number, line, message
        except Ended as error:
            raise failed or error from None
        if failed:
            raise failed

    def hear(self, text: str, level: int = 0) -> None:
        self.ctx.log.log(level or _level(text), "%s: %s", self.title, self.masker.mask(text)[:2000])

    def variables(self) -> dict[str, str]:
        return {name: value for name in _NETWORK if (value := self.ctx.variables.get(name))}

    @property
    def memory_mb(self) -> int:
        return int(self.source.options.get("memory_mb") or 2048)

    @property
    def silent_seconds(self) -> float:
        return float(self.source.options.get("timeout_seconds") or 3600)


def _level(text: str) -> int:
    head = text[:80].upper()
    return next((level for word, level in _LEVELS if word in head), 20)


_LEVELS = (("CRITICAL", 40), ("FATAL", 40), ("ERROR", 40), ("WARN", 30), ("DEBUG", 10))
