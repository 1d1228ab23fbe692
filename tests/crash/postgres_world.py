"""The same world over a PostgreSQL table: incremental by timestamp, with lookback."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dativo_provider.model.job import ContractSpec, IncrementalSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.stream import Field
from tests.crash.world import FIELDS, World

CREATE = """create table orders (id bigint primary key, region text, amount numeric(12,2),
            updated_at timestamptz not null default now())"""


@dataclass
class PostgresWorld(World):
    """`add_file` is one more transaction of a writer."""

    params: dict[str, Any] = field(default_factory=dict)
    by_way_of: dict[str, Any] = field(default_factory=dict)  # host and port the runs reach it at, if others

    def job(self, name: str = "orders") -> JobSpec:
        fields = (*FIELDS, Field("updated_at", "timestamptz", required=True))
        stream = StreamSpec(
            name="orders",
            object="public.orders",
            table="orders",
            contract=ContractSpec("orders", version="1.0.0", fields=fields),
            key=("id",),
            incremental=IncrementalSpec("updated_at", "updated_at", lookback_seconds=3600, lag_seconds=0),
        )
        source = SourceSpec("postgres", {**self.params, **self.by_way_of})
        target = TargetSpec(namespace="acme", mode=self.mode)  # type: ignore[arg-type]
        return JobSpec("acme", name, name, source, target, (stream,), slices=2)

    def create(self) -> None:
        self._execute(CREATE)

    def add_file(self, rng: random.Random, rows: int = 40) -> None:
        self.files += 1
        values = []
        for offset in range(rows):
            identity = self.files * 1_000_000 + offset
            bad = rng.random() < 0.1
            (self.bad if bad else self.good).add(identity)
            values.append(f"({identity}, 'south', {'null' if bad else f'{identity % 1000}.50'})")
        self._execute(f"insert into orders (id, region, amount) values {', '.join(values)}")

    def check_cursor(self) -> None:
        """The first moment not read is the one after the newest row."""
        from tests.crash.readback import cursor

        ((newest,),) = self._execute("select max(updated_at) from orders")
        assert datetime.fromisoformat(cursor(self)["value"]) == newest + timedelta(microseconds=1)

    def check_books(self) -> None:
        """Each run reads back far enough to meet every row again, and has a place for each."""
        from tests.crash.readback import books

        super().check_books()
        assert books(self)[-1].extracted == self.rows

    def _execute(self, statement: str) -> list[tuple[Any, ...]]:
        import psycopg2

        connection = psycopg2.connect(**self.params)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@dataclass
class WindowWorld(PostgresWorld):
    """`delete_insert` of a window that reads back: rows change in the source, and the table is as the source is."""

    mode: str = "delete_insert"

    def add_file(self, rng: random.Random, rows: int = 40) -> None:
        super().add_file(rng, rows)
        again = ", ".join(str(identity) for identity in rng.sample(sorted(self.good), min(12, len(self.good))))
        self._execute(f"update orders set amount = amount + 1, updated_at = now() where id in ({again})")

    def check_rows(self) -> None:
        from tests.crash.readback import column

        super().check_rows()
        pairs = zip(column(self, "acme.orders", "id"), column(self, "acme.orders", "amount"), strict=True)
        found = Counter(pair for pair in pairs if pair[0] >= 0)
        assert found == Counter(self._execute("select id, amount from orders where amount is not null"))
