"""An Airbyte source: one process for each stream, with a catalog of that stream alone and the state it left."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dativo_provider.connectors.airbyte import catalog, docker, messages
from dativo_provider.connectors.airbyte.options import SourceOptions, source_options
from dativo_provider.connectors.bridge.failures import kind_of
from dativo_provider.connectors.bridge.files import private
from dativo_provider.connectors.bridge.messages import Message, plain
from dativo_provider.connectors.bridge.reader import BridgeReader
from dativo_provider.envs.lines import Program
from dativo_provider.envs.packages import command
from dativo_provider.errors import ConfigurationError, SourceUnavailable
from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Field

__all__ = ["AirbyteReader"]


class AirbyteReader(BridgeReader):
    @cached_property
    def options(self) -> SourceOptions:
        return source_options(self.source, self.ctx)

    @property
    def config(self) -> dict[str, Any]:
        return self.options.config

    @property
    def title(self) -> str:
        return self.options.title

    def check(self) -> None:
        """Raises what the source's own check says, by its words."""
        with self.border():
            found = self._one("check", "connectionStatus")
            if found.get("status") != "SUCCEEDED":
                text = str(found.get("message") or "it does not say why")
                kind = kind_of(text)
                kind = ConfigurationError if kind is SourceUnavailable and "refused" not in text.lower() else kind
                raise kind(f"{self.title}: the check failed: {text[:500]}", remedy="see source.connection of the job")

    def catalog(self) -> dict[str, Mapping[str, Any]]:
        return catalog.entries(self._one("discover", "catalog"))

    def _one(self, verb: str, key: str) -> Mapping[str, Any]:
        """What the only message of its kind says. Raises `ConfigurationError` when there is none."""
        found: Mapping[str, Any] = {}
        with TemporaryFolder("bridge") as name:
            for _, line, _ in self._messages(self._program(Path(name), verb), frozenset(), every=True):
                said = plain(line) if f'"{key}"'.encode() in line else None
                found = said[key] if isinstance(said, dict) and isinstance(said.get(key), dict) else found
        if not found:
            raise ConfigurationError(
                f"{self.title} did not answer '{verb}'", remedy="is it a source that speaks Airbyte's protocol?"
            )
        return found

    def fields(self, entry: Mapping[str, Any]) -> tuple[Field, ...]:
        return catalog.fields(entry)

    def key(self, entry: Mapping[str, Any]) -> tuple[str, ...]:
        return catalog.key(entry)

    def names(self, entry: Mapping[str, Any]) -> frozenset[str]:
        name, space = str(entry.get("name")), entry.get("namespace")
        return frozenset({f"{space}.{name}"} if space else {name})

    def cursor_column(self, stream: StreamSpec, entry: Mapping[str, Any], full: bool) -> str:
        path = catalog.cursor(entry, stream) if catalog.is_incremental(entry, stream) else []
        return path[0] if len(path) == 1 else ""

    def follows(self, stream: StreamSpec, entry: Mapping[str, Any]) -> bool:
        return catalog.is_incremental(entry, stream)

    def message(self, line: bytes, names: frozenset[str]) -> Message | None:
        return messages.message_of(line, names)

    def moved(self, state: Any, said: Any) -> Any:
        return messages.moved(state, said)

    def read_program(self, folder: Path, stream: StreamSpec, spec: Mapping[str, Any]) -> Program:
        private(folder / "catalog.json", catalog.configured(spec["entry"], stream))
        arguments = ["--catalog", "catalog.json"]
        if spec.get("state"):
            private(folder / "state.json", messages.given_back(spec["state"]))
            arguments += ["--state", "state.json"]
        return self._program(folder, "read", *arguments)

    def _program(self, folder: Path, *arguments: str) -> Program:
        """Files are named as they are called in the folder that the source starts in."""
        options = self.options
        private(folder / "config.json", options.config)
        whole = (arguments[0], "--config", "config.json", *arguments[1:])
        if options.image:
            run = docker.command(docker.found(self.ctx.variables), options.image, folder, whole, self.memory_mb)
        else:
            envs = Path(self.ctx.settings.envs).absolute()
            run = (str(command(envs, options.requirement, options.command)), *whole)
        return Program(run, folder, self.variables(), self.silent_seconds, self.memory_mb)

    def variables(self) -> dict[str, str]:
        seen = docker.SEEN if self.options.image else ()
        return {
            **super().variables(),
            **{name: self.ctx.variables[name] for name in seen if name in self.ctx.variables},
        }

    def asked(self, program: Program) -> Generator[tuple[int, bytes], None, None]:
        try:
            yield from super().asked(program)
        finally:
            if self.options.image:
                docker.end(program.command, self.variables())
