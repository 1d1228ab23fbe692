"""A tenant whose job fails in every way there is, run by the command line and read back without Dativo."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Answer, Command

COLUMNS: dict[str, dict[str, Any]] = {
    "id": {"logicalType": "integer", "physicalType": "bigint", "required": True, "primaryKey": True},
    "region": {"logicalType": "string"},
    "amount": {"logicalType": "number", "physicalType": "decimal(12,2)", "required": True},
    "updated_at": {"logicalType": "timestamp", "physicalType": "timestamptz"},
}
EXAMPLES = Path(__file__).parents[2] / "examples" / "connectors"
TABLE, QUARANTINE = "acme.orders", "acme.orders_quarantine"
FIVE_DAYS = 5 * 86400


@dataclass
class Trial:
    """`secrets` are values no output may hold."""

    folder: Path
    dativo: Command
    monkeypatch: pytest.MonkeyPatch
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tenant = self.folder / "dags" / "tenants" / "acme"
        self.data = self.tenant / "data"
        self.warehouse = (self.folder / "home" / "warehouse").as_uri()
        self.catalog: dict[str, str] = {"type": "sql", "uri": f"sqlite:///{self.folder}/home/catalog.db"}
        for name in ("jobs", "contracts", "data"):
            (self.tenant / name).mkdir(parents=True)
        (self.tenant / "tenant.yaml").write_text(json.dumps({"tenant_id": "acme", "roots": {"files": ["data"]}}))

    # What is set up -------------------------------------------------------------------------------------------

    def keep_in(self, warehouse: str = "", catalog_uri: str = "", **properties: str) -> None:
        """The deployment's catalog and warehouse, as its environment names them."""
        if warehouse:
            self.warehouse = warehouse
            self.monkeypatch.setenv("DATIVO_WAREHOUSE", warehouse)
        if catalog_uri:
            self.catalog["uri"] = catalog_uri.replace("postgresql://", "postgresql+psycopg2://")
            self.monkeypatch.setenv("DATIVO_CATALOG_URI", catalog_uri)
        if properties:
            self.catalog.update(properties)
            self.monkeypatch.setenv("DATIVO_CATALOG_PROPERTIES", json.dumps(properties))

    def contract(self, name: str = "orders", **columns: dict[str, Any] | None) -> str:
        """COLUMNS, changed as said; None takes one away. The path a job names it by."""
        wanted = {key: value for key, value in {**COLUMNS, **columns}.items() if value is not None}
        properties = [{"name": key, **value} for key, value in wanted.items()]
        document = {
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": f"urn:{name}", "name": name, "version": "1.0.0",
            "status": "active", "tenant": "acme", "team": {"members": [{"username": "data", "role": "owner"}]},
            "schema": [{"name": "orders", "logicalType": "object", "properties": properties}],
        }  # fmt: skip
        (self.tenant / "contracts" / f"{name}.odcs.yaml").write_text(json.dumps(document))
        return f"../contracts/{name}.odcs.yaml"

    def secret(self, name: str, value: str, *parts: str) -> None:
        """Tenant acme's secret `name`; no output may hold it, or the `parts` it has where it is JSON."""
        self.monkeypatch.setenv(f"DATIVO_SECRET__ACME__{name.upper()}", value)
        self.secrets += parts or (value,)

    def example(self, connector: str, name: str, connection: Mapping[str, Any], **source: Any) -> Path:
        """The example job of the connector's page at a test's address; what is None here is left out of it."""
        job = yaml.safe_load((EXAMPLES / connector / "tenants" / "acme" / "jobs" / f"{name}.yaml").read_text())
        own = job["source"]
        address = _without_none({**own.get("connection", {}), **connection})
        said = {**own, "connection": address or None, **source}
        path = self.tenant / "jobs" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(job | {"source": _without_none(said)}))
        return path

    def csv_job(self, name: str = "orders", incremental: bool = True, **more: Any) -> Path:
        source: dict[str, Any] = {"files": [{"path": "*.csv*", "object": "orders"}]}
        if incremental:
            source["incremental"] = {"strategy": "file_modified_time"}
        return self._job(name, "csv", source, more)

    def postgres_job(self, params: dict[str, Any], name: str = "orders", incremental: bool = True, **more: Any) -> Path:
        table = {"name": "public.orders", "object": "orders", **more.pop("table", {})}
        self.monkeypatch.setenv("DATIVO_SECRET__ACME__SHOP", params["password"])
        connection = {**params, "password": "${SECRET:shop}"}
        source: dict[str, Any] = {"connection": connection, "tables": [table]}
        if incremental:
            source["incremental"] = {"strategy": "updated_at", "cursor_field": "updated_at", "lag_seconds": 0}
        return self._job(name, "postgres", source, more)

    def _job(self, name: str, connector: str, source: dict[str, Any], more: dict[str, Any]) -> Path:
        facts = {"asset_path": more.pop("contract", "") or self.contract(), **more}
        job = {"tenant_id": "acme", "source_connector": connector, "source": source, "retry_config": {"max_retries": 0}}
        path = self.tenant / "jobs" / f"{name}.yaml"
        path.write_text(json.dumps({**job, **facts}))
        return path

    def deliver(self, name: str, ids: Sequence[int], amount: str = "1.50", header: str = "") -> Path:
        path = self.data / name
        lines = [f"{number},north,{amount},2026-03-01T00:00:00Z" for number in ids]
        path.write_text("\n".join([header or ",".join(COLUMNS), *lines, ""]))
        return path

    # What happens ---------------------------------------------------------------------------------------------

    def run(self, job: Path, *words: str) -> Answer:
        answer = self.dativo("run", "--config", job, "--json", *words)
        self._quiet(answer)
        return answer

    def succeeds(self, job: Path, *words: str) -> dict[str, Any]:
        """The report of a run that left no row out."""
        answer = self.run(job, *words)
        assert answer.code == 0, answer.out + answer.err
        return dict(answer.json["streams"][0])

    def rows(self, job: Path, query: str) -> Any:
        return self.dativo("query", "--config", job, "--json", query).json

    def fails(self, job: Path, kind: str, *facts: str, words: Sequence[str] = ()) -> dict[str, Any]:
        """Exit code 2 and an error of class `kind` that says all of `facts`, where, and what to do; nothing shows."""
        before = self.visible()
        answer = self.run(job, *words)
        assert answer.code == 2, answer.out + answer.err
        error = dict(answer.json["streams"][0]["error"] if "streams" in answer.json else answer.json["error"])
        text = f"{error['message']} {error['where']} {error['remedy']}"
        assert error["error_type"] == kind, error
        assert all(fact in text for fact in facts), error
        assert error["where"], error
        assert error["remedy"], error
        assert "Traceback" not in answer.out + answer.err
        assert self.visible() == before
        return error

    def _quiet(self, answer: Answer) -> None:
        for secret in self.secrets:
            assert secret not in answer.out + answer.err, "a secret was printed"

    # What there is, past Dativo's own code --------------------------------------------------------------------

    def table(self, name: str = TABLE) -> Any:
        """None where there is no such table."""
        from pyiceberg.catalog import load_catalog
        from pyiceberg.exceptions import NoSuchTableError

        catalog = load_catalog("dativo", **self.catalog, warehouse=self.warehouse)
        try:
            return catalog.load_table(name)
        except NoSuchTableError:
            return None
        finally:
            catalog.engine.dispose()  # type: ignore[attr-defined]

    def values(self, name: str, column: str) -> list[Any]:
        found = self.table(name)
        return [] if found is None else sorted(found.scan(selected_fields=(column,)).to_arrow()[column].to_pylist())

    def ids(self, name: str = TABLE) -> list[int]:
        return self.values(name, "id")

    def visible(self) -> tuple[list[Any], list[Any]]:
        """Rows of table and quarantine; none while the catalog cannot be asked."""
        try:
            return self.ids(), self.values(QUARANTINE, "row_id")
        except Exception:
            return [], []

    def staged(self) -> set[str]:
        """Local Parquet files, published or not."""
        return {str(path) for path in Path(self.warehouse.removeprefix("file://")).rglob("*.parquet")}

    def live(self) -> set[str]:
        found: set[str] = set()
        for name in (TABLE, QUARANTINE):
            if (table := self.table(name)) is not None:
                found |= {task.file.file_path.removeprefix("file://") for task in table.scan().plan_files()}
        return found

    # Afterwards -----------------------------------------------------------------------------------------------

    def recovers(self, job: Path, ids: Sequence[int]) -> None:
        """A good run brings every row exactly once; one five days later finds nothing new and sweeps the rest."""
        self.succeeds(job)
        assert Counter(self.ids()) == Counter(ids)
        self.five_days_later()
        self.succeeds(job)
        assert Counter(self.ids()) == Counter(ids)
        if self.warehouse.startswith("file://"):
            assert self.staged() == self.live()

    def five_days_later(self) -> None:
        import dativo_provider.lake.sweep as sweep

        self.monkeypatch.setattr(sweep, "time", SimpleNamespace(time=lambda: time.time() + FIVE_DAYS))


def _without_none(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
