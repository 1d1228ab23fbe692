"""What every catalog must guarantee, to us and through PyIceberg. Inherit and give the fixture `where`."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dativo_provider.lake.catalog import open_catalog
from dativo_provider.lake.commit import guard
from dativo_provider.lake.table import WantedTable, ensure_table
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from tests.lake.killing import in_child, start_child
from tests.support import requirement

WANTED = WantedTable("acme.orders", "acme", (Field("id", "long"),))


def created(where: Settings, number: int, start: float) -> str:
    """The table's id, from a process that begins at `start`."""
    time.sleep(max(0.0, start - time.time()))
    fields = (Field("id", "long"), Field(f"column_{number}", "string"))
    return str(ensure_table(open_catalog(where), WantedTable("acme.orders", "acme", fields)).metadata.table_uuid)


class CatalogSuite:
    @requirement("ING-08")
    def test_it_is_made_on_first_use(self, where: Settings) -> None:
        ensure_table(open_catalog(where), WANTED)
        assert open_catalog(where).list_tables("acme") == [("acme", "orders")]

    @requirement("ING-25")
    def test_processes_that_create_everything_at_once_all_succeed(self, where: Settings) -> None:
        """Catalog, namespace, table, and a column of their own each."""
        in_child(time.time)  # whose first call starts the server that forks
        start = time.time() + 0.3
        running = [start_child(created, where, number, start) for number in range(4)]
        ended = [each.wait() for each in running]
        assert [each.error for each in ended if each.error] == []
        assert len({each.result for each in ended}) == 1
        names = open_catalog(where).load_table("acme.orders").schema().column_names
        assert sorted(names) == ["column_0", "column_1", "column_2", "column_3", "id"]

    @requirement("ING-25")
    @pytest.mark.parametrize("empty", [True, False], ids=["first commit", "later commit"])
    def test_a_stale_handle_cannot_commit(self, where: Settings, empty: bool) -> None:
        """What the fence rests on; PyIceberg's own retries are off on the handle."""
        from pyiceberg.exceptions import CommitFailedException

        catalog = open_catalog(where)
        ensure_table(catalog, WANTED)
        if not empty:
            _append_nothing(catalog.load_table(WANTED.name))
        one, two = catalog.load_table(WANTED.name), catalog.load_table(WANTED.name)
        landed = _append_nothing(one)
        with pytest.raises(CommitFailedException):
            _append_nothing(two)
        assert catalog.load_table(WANTED.name).metadata.current_snapshot_id == landed

    @requirement("ING-25")
    @pytest.mark.parametrize("empty", [True, False], ids=["first commit", "later commit"])
    def test_of_commits_at_one_moment_one_lands(self, where: Settings, empty: bool) -> None:
        """A catalog that compares and sets in two steps would tell several that they have landed."""
        ensure_table(open_catalog(where), WANTED)
        if not empty:
            _append_nothing(open_catalog(where).load_table(WANTED.name))
        catalogs = [open_catalog(where) for _ in range(3)]
        for _ in range(1 if empty else 3):
            tables = [catalog.load_table(WANTED.name) for catalog in catalogs]
            gate = threading.Barrier(len(tables))
            with ThreadPoolExecutor(len(tables)) as pool:
                landed = [each for each in pool.map(lambda table: _tried(table, gate), tables) if each]  # noqa: B023
            assert landed == [catalogs[0].load_table(WANTED.name).metadata.current_snapshot_id]

    def test_the_guard_never_reaches_the_table(self, where: Settings) -> None:
        catalog = open_catalog(where)
        ensure_table(catalog, WANTED)
        _append_nothing(catalog.load_table(WANTED.name))
        table = catalog.load_table(WANTED.name)
        assert "commit.retry.num-retries" not in table.properties
        scratch = f"{table.location()}/metadata/scratch"
        with table.io.new_output(scratch).create() as stream:
            stream.write(b"1")
        table.io.delete(scratch)  # a fresh handle deletes for real
        assert not table.io.new_input(scratch).exists()

    def test_properties_and_snapshot_land_together_or_not_at_all(self, where: Settings) -> None:
        from pyiceberg.exceptions import CommitFailedException

        catalog = open_catalog(where)
        ensure_table(catalog, WANTED)
        one, two = catalog.load_table(WANTED.name), catalog.load_table(WANTED.name)
        _append_nothing(one, state="one")
        with pytest.raises(CommitFailedException):
            _append_nothing(two, state="two")
        assert catalog.load_table(WANTED.name).properties["state"] == "one"


def _tried(table: Any, gate: threading.Barrier) -> int:
    """The snapshot that landed; 0 when a rival was faster."""
    from pyiceberg.exceptions import CommitFailedException

    gate.wait()
    try:
        return _append_nothing(table)
    except CommitFailedException:
        return 0


def _append_nothing(table: Any, **properties: str) -> int:
    guard(table)
    transaction = table.transaction()
    transaction.update_snapshot().fast_append().commit()
    if properties:
        transaction.set_properties(properties)
    return int(transaction.commit_transaction().metadata.current_snapshot_id)
