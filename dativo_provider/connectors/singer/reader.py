"""A Singer tap as a source: one process for each stream, with the catalog that selects it and the state it left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from dativo_provider.connectors.bridge.files import private
from dativo_provider.connectors.bridge.messages import Message, plain
from dativo_provider.connectors.bridge.reader import BridgeReader
from dativo_provider.connectors.singer import catalog, messages
from dativo_provider.connectors.singer.options import TapOptions, tap_options
from dativo_provider.envs.lines import Program
from dativo_provider.envs.packages import command
from dativo_provider.files.temporary import TemporaryFolder
from dativo_provider.model.job import ContractSpec, StreamSpec
from dativo_provider.model.stream import Field

__all__ = ["SingerReader"]

_WHOLE = catalog.Replication("FULL_TABLE")


class SingerReader(BridgeReader):
    @cached_property
    def options(self) -> TapOptions:
        return tap_options(self.source, self.ctx)

    @property
    def config(self) -> dict[str, Any]:
        return self.options.config

    @property
    def title(self) -> str:
        return self.options.command

    def check(self) -> None:
        """A tap has no check of its own; discovery logs in, where the tap needs the source to know its streams."""
        with self.border():
            self._catalog()

    def catalog(self) -> dict[str, Mapping[str, Any]]:
        with TemporaryFolder("bridge") as name:
            folder = Path(name)
            program = self._program(folder, "--discover")
            said = b"\n".join(line for _, line in self.asked(program))
        return catalog.entries(plain(said[max(0, said.find(b"{")) :]))

    def fields(self, entry: Mapping[str, Any]) -> tuple[Field, ...]:
        return catalog.fields(entry)

    def key(self, entry: Mapping[str, Any]) -> tuple[str, ...]:
        return catalog.key(entry)

    def names(self, entry: Mapping[str, Any]) -> frozenset[str]:
        return catalog.names(entry)

    def cursor_column(self, stream: StreamSpec, entry: Mapping[str, Any], full: bool) -> str:
        return catalog.replication(entry, stream, self.options.replication_method).key

    def follows(self, stream: StreamSpec, entry: Mapping[str, Any]) -> bool:
        return catalog.replication(entry, stream, self.options.replication_method).method != "FULL_TABLE"

    def message(self, line: bytes, names: frozenset[str]) -> Message | None:
        return messages.message_of(line, names)

    def read_program(self, folder: Path, stream: StreamSpec, spec: Mapping[str, Any]) -> Program:
        how = catalog.replication(spec["entry"], stream, self.options.replication_method)
        parents = [catalog.selected(each, (), _WHOLE) for each in spec.get("parents") or ()]
        chosen = [catalog.selected(spec["entry"], stream.columns, how), *parents]
        arguments = [f"--{self.options.catalog_argument}", private(folder / "catalog.json", {"streams": chosen})]
        if spec.get("state") is not None:
            arguments += ["--state", private(folder / "state.json", spec["state"])]
        return self._program(folder, *arguments)

    def beside(self, stream: StreamSpec) -> dict[str, Any]:
        """Entries of streams that the tap reads along: they travel with the slice, as the stream's own does."""
        found = [self.entry(StreamSpec(name, name, name, ContractSpec(name)))[1] for name in self.options.also_select]
        return {"parents": [dict(each) for each in found]} if found else {}

    def _program(self, folder: Path, *arguments: str) -> Program:
        options = self.options
        tap = command(Path(self.ctx.settings.envs).absolute(), options.requirement, options.command)
        told = private(folder / "config.json", {**options.config, **_batches(folder, options.batches)})
        whole = (str(tap), "--config", told, *arguments)
        return Program(whole, folder, self.variables(), self.silent_seconds, self.memory_mb)

    def asked(self, program: Program) -> Iterator[tuple[int, bytes]]:
        return messages.batched(super().asked(program), program.folder)


def _batches(folder: Path, wanted: bool) -> dict[str, Any]:
    """https://sdk.meltano.com/en/latest/batch.html"""
    if not wanted:
        return {}
    encoding = {"format": "jsonl", "compression": "gzip"}
    return {"batch_config": {"encoding": encoding, "storage": {"root": folder.as_uri(), "prefix": "batch-"}}}
