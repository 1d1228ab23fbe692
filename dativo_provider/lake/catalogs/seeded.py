"""Nessie's catalog, whose tables begin with an empty snapshot.

Nessie up to 0.99 does not check `assert-ref-snapshot-id` where it says "no snapshot yet", so of two first commits the
later silently replaces the earlier: https://github.com/projectnessie/nessie/issues/10062. Tables are therefore made
together with a first snapshot, in one commit that lands only where there is no table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
from pyiceberg.table import Table
from pyiceberg.table.update import AssertCreate, AssertRefSnapshotId
from requests import PreparedRequest, Response

from dativo_provider.errors import ConfigurationError
from dativo_provider.lake.catalogs.timed import TimedAdapter, TimedRestCatalog

__all__ = ["SeededRestCatalog"]


_COLUMN_IDS = ("id", "element-id", "key-id", "value-id")


class _Adapter(TimedAdapter):
    """Adds `last-column-id` to new schemas: deprecated by the REST specification, required by Nessie 0.99."""

    def send(self, request: PreparedRequest, *more: Any, **named: Any) -> Response:
        if isinstance(request.body, bytes) and b'"add-schema"' in request.body:
            request.prepare_body(_completed(request.body), None)
        return super().send(request, *more, **named)


def _completed(body: Any) -> bytes:
    request = json.loads(body)
    for update in request.get("updates", ()):
        if update.get("action") == "add-schema":
            update.setdefault("last-column-id", max(_column_ids(update["schema"]), default=0))
    return json.dumps(request).encode()


def _column_ids(part: Any) -> Iterator[int]:
    if isinstance(part, list):
        for each in part:
            yield from _column_ids(each)
    elif isinstance(part, dict):
        yield from (part[key] for key in _COLUMN_IDS if key in part)
        for key in ("fields", "type", "element", "key", "value"):
            yield from _column_ids(part.get(key))


class SeededRestCatalog(TimedRestCatalog):
    adapter = _Adapter

    def create_table(self, identifier: Any, schema: Any, *args: Any, **named: Any) -> Table:
        transaction = self.create_table_transaction(identifier, schema, *args, **named)
        transaction.update_snapshot().fast_append().commit()
        try:
            return transaction.commit_transaction()
        except CommitFailedException as problem:
            raise TableAlreadyExistsError(f"Table {identifier} already exists") from problem

    def commit_table(self, table: Table, requirements: Any, updates: Any) -> Any:
        made = any(isinstance(each, AssertCreate) for each in requirements)
        first = any(isinstance(each, AssertRefSnapshotId) and each.snapshot_id is None for each in requirements)
        if first and not made:
            raise ConfigurationError(
                "this table has no snapshot yet, and Nessie cannot tell two first commits apart",
                where=".".join(table.name()),
                remedy="drop the empty table: Dativo makes it anew with a first snapshot",
            )
        return super().commit_table(table, requirements, updates)
