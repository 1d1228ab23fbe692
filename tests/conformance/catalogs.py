"""What every catalog must guarantee, to us and through PyIceberg. Inherit and give the fixture `where`."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.lake.catalog import open_catalog
from dativo_provider.lake.commit import guard
from dativo_provider.lake.table import WantedTable, ensure_table
from dativo_provider.model.run import dump
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from tests.support import requirement

ROOT = Path(__file__).parents[2]
WANTED = WantedTable("acme.orders", "acme", (Field("id", "long"),))

RACE = """
    import json, os, sys, time
    import pyarrow.parquet, pyiceberg.catalog.sql, pyiceberg.io.pyarrow
    from dativo_provider.lake.catalog import open_catalog
    from dativo_provider.lake.table import WantedTable, ensure_table
    from dativo_provider.model.run import load
    from dativo_provider.model.settings import Settings
    from dativo_provider.model.stream import Field

    settings, start = load(Settings, sys.argv[1]), time.time() + 0.5
    children = []
    for number in range(4):
        child = os.fork()
        if child:
            children.append(child)
            continue
        time.sleep(start - time.time())
        catalog = open_catalog(settings)
        fields = (Field("id", "long"), Field(f"column_{number}", "string"))
        table = ensure_table(catalog, WantedTable("acme.orders", "acme", fields))
        os.write(1, f"{table.metadata.table_uuid}\\n".encode())
        os._exit(0)
    sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


class CatalogSuite:
    @requirement("ING-08")
    def test_it_is_made_on_first_use(self, where: Settings) -> None:
        ensure_table(open_catalog(where), WANTED)
        assert open_catalog(where).list_tables("acme") == [("acme", "orders")]

    @requirement("ING-25")
    def test_processes_that_create_everything_at_once_all_succeed(self, where: Settings) -> None:
        """Catalog, namespace, table, and a column of their own each."""
        command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(RACE), dump(where).decode()]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.split()) == 4
        assert len(set(done.stdout.split())) == 1
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
