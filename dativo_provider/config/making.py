"""What the parts of a job's resolution share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.config.apis import ApiStream
from dativo_provider.config.contract import Policy
from dativo_provider.config.known import BUILT_IN, Known
from dativo_provider.config.layers import Findings, Located
from dativo_provider.config.places import Place
from dativo_provider.config.shapes.job import Job
from dativo_provider.config.shapes.source import Source
from dativo_provider.config.shapes.target import Target
from dativo_provider.config.tenants import TenantSpec
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.handling import Handling

__all__ = ["Making"]


@dataclass
class Making:
    """A job half-way: `job` is the file as written, `source` and `target` have the recipes below them.

    `at` gives the place of every key. A job that this version cannot run anyway is judged mildly: what hangs on
    its connector or its files is a warning.
    """

    place: Place
    at: Located
    job: Job
    data: Mapping[str, Any]
    tenant: TenantSpec
    environment: str
    mode: str
    findings: Findings
    connector: Known | None = None
    source: Source = field(default_factory=Source)
    target: Target = field(default_factory=Target)
    publisher: Known = BUILT_IN["iceberg"]
    apis: Mapping[str, ApiStream] = field(default_factory=dict)  # what the source's spec says of streams
    engine_options: Mapping[str, Any] | None = None  # of an engine of another ecosystem, where one reads
    recipe_variables: tuple[str, ...] = ()
    keep_original: bool = False  # says the job, for every contract
    quarantine_days: int | None = None  # likewise
    handling: Handling = Handling()  # says the job, over every contract's
    policy: Policy = Policy()  # of policy.yaml, below every contract's
    unsupported: list[str] = field(default_factory=list)

    @property
    def runnable(self) -> bool:
        return not self.unsupported

    @property
    def documents(self) -> bool:
        """Whether the target keeps one row for each document."""
        pattern, storage = self.target.storage_pattern, self.target.markdown_kv_storage
        structured = storage is not None and storage.mode == "structured"
        return (pattern or (storage.structured_pattern if storage and structured else "")) == "document_level"

    def error(self, keys: Sequence[Key], message: str, remedy: str = "", *, value: bool = True) -> None:
        self.findings.error(self.at, keys, message, remedy, value=value)

    def warn(self, keys: Sequence[Key], message: str, remedy: str = "", *, value: bool = True) -> None:
        self.findings.warn(self.at, keys, message, remedy, value=value)

    def judge(self, keys: Sequence[Key], message: str, remedy: str = "", *, value: bool = True) -> None:
        """An error where the job could run, else a warning."""
        (self.error if self.runnable else self.warn)(keys, message, remedy, value=value)

    def cannot(self, sentence: str) -> None:
        if sentence not in self.unsupported:
            self.unsupported.append(sentence)

    def shown(self, path: Any) -> str:
        """A path as the user named the job: relative if that was."""
        return self.place.shown(path)
