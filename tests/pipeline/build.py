"""A job over CSV files in a temporary folder, its context, and its table read back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import (
    ContractSpec,
    IncrementalSpec,
    JobSpec,
    SourceSpec,
    StreamSpec,
    TargetSpec,
    TransformSpec,
)
from dativo_provider.model.run import RunRequest
from dativo_provider.model.settings import CatalogSettings, Settings, StoreSettings
from dativo_provider.model.stream import Field
from dativo_provider.pipeline.run import RunReport, StreamReport, run

ORDERS = (
    Field("id", "long", required=True),
    Field("region", "string"),
    Field("amount", "decimal(12,2)", required=True),
    Field("updated_at", "timestamptz"),
)


@dataclass
class Bench:
    """`stream`, `target`, `job` hold what a test changes of the defaults."""

    root: Path
    fields: Sequence[Field] = ORDERS
    rules: Sequence[dict[str, Any]] = ()
    transforms: Sequence[TransformSpec] = ()
    stream: dict[str, Any] = field(default_factory=dict)
    target: dict[str, Any] = field(default_factory=dict)
    job: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data = self.root / "data"
        self.home = self.root / "home"
        self.data.mkdir(exist_ok=True)

    def csv(self, name: str, *lines: str, header: str = "id,region,amount,updated_at") -> Path:
        path = self.data / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
        return path

    def spec(self, name: str = "orders") -> JobSpec:
        rules = tuple(Rule("inline", {"name": f"check {at}", **rule}) for at, rule in enumerate(self.rules))
        contract = ContractSpec("orders", version="1.0.0", fields=tuple(self.fields), rules=rules)
        settled = {"incremental": IncrementalSpec("file_modified_time"), **self.stream}
        stream = StreamSpec("orders", "*.csv", "orders", contract, **settled)
        target = TargetSpec(**{"namespace": "acme", **self.target})
        settled_job = {"transforms": tuple(self.transforms), **self.job}
        source = SourceSpec("csv", roots=(str(self.data),))
        return JobSpec("acme", name, name, source, target, (stream,), **settled_job)

    def context(self, home: Path | None = None, **settings: Any) -> RunContext:
        folder = home or self.home
        catalog = CatalogSettings(
            properties={"type": "sql", "uri": f"sqlite:///{self.home}/catalog.db"},
            warehouse=(self.home / "warehouse").as_uri(),
        )
        store = StoreSettings("sql", f"sqlite:///{self.home}/store.db")
        return RunContext(Settings(**{"home": str(folder), "catalog": catalog, "store": store, **settings}))

    def run(self, **request: Any) -> StreamReport:
        (stream,) = self.report(**request).streams
        return stream

    def report(self, **request: Any) -> RunReport:
        return run(self.spec(), self.context(), RunRequest(**request))

    def rows(self, table: str = "acme.orders") -> list[dict[str, Any]]:
        """Published rows; none when there is no such table."""
        if not (self.home / "catalog.db").exists():
            return []
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self.table(table).scan().to_arrow().to_pylist()
        except NoSuchTableError:
            return []

    def table(self, name: str = "acme.orders") -> Any:
        from pyiceberg.catalog import load_catalog

        settings = self.context().settings.catalog
        return load_catalog(settings.name, **settings.properties, warehouse=settings.warehouse).load_table(name)

    def quarantine(self) -> list[dict[str, Any]]:
        return self.rows("acme.orders_quarantine")


def ids(rows: Sequence[dict[str, Any]]) -> list[int]:
    return sorted(row["id"] for row in rows)
