"""kill -9 in a storm, in every world: see `storm`. `share` says how many runs die in each."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.crash.far_world import NessieWorld, RemoteWorld
from tests.crash.keyed_world import KeyedWorld
from tests.crash.postgres_world import WindowWorld
from tests.crash.readback import table
from tests.crash.replace_world import ReplaceWorld
from tests.crash.storm import storm
from tests.crash.weather import bad_weather
from tests.crash.world import World
from tests.services.nessie import Nessie
from tests.services.nessie import start as start_nessie
from tests.services.plugin import started
from tests.services.postgres import Database, Postgres
from tests.services.s3 import S3
from tests.services.toxiproxy import Link, Toxiproxy
from tests.support import requirement

pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(36_000)]


@requirement("ING-25", "STA-09")
def test_a_storm_over_one_machine(tmp_path: Path) -> None:
    storm("CSV → SQLite, append", World(tmp_path))


@requirement("ING-08", "ING-25")
@pytest.mark.parametrize("mode", ["merge", "scd2"])
def test_a_storm_over_rows_that_change(tmp_path: Path, mode: str) -> None:
    storm(f"CSV → SQLite, {mode}", KeyedWorld(tmp_path, mode=mode))


@requirement("ING-08", "ING-25")
def test_a_storm_over_full_loads(tmp_path: Path) -> None:
    storm("CSV → SQLite, replace", ReplaceWorld(tmp_path))


@requirement("ING-08", "ING-25", "STA-08")
def test_a_storm_over_windows_that_are_replaced(tmp_path: Path, database: Database) -> None:
    world = WindowWorld(tmp_path, params=database.params)
    world.create()
    storm("PostgreSQL → SQLite, delete_insert", world)


@dataclass
class Network:
    """Links to servers, each of which can fail."""

    toxiproxy: Toxiproxy
    links: list[Link]

    def to(self, host: str) -> str:
        """Another address of `host:port`, by way of a link of its own."""
        self.links.append(self.toxiproxy.link(host))
        return self.links[-1].address

    def url(self, url: str) -> str:
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        far = self.to(f"{parts.hostname}:{parts.port}")
        return parts._replace(netloc=f"{user}@{far}" if user else far).geturl()

    def source(self, params: dict[str, Any]) -> dict[str, Any]:
        host, _, port = self.to(f"{params['host']}:{params['port']}").rpartition(":")
        return {"host": host, "port": int(port)}


@pytest.fixture
def network(toxiproxy: Toxiproxy) -> Network:
    return Network(toxiproxy, [])


@pytest.fixture
def far(tmp_path: Path, database: Database, s3: S3, network: Network) -> RemoteWorld:
    """Its source and its storage; a test adds the catalog."""
    storage = {**s3.properties, "s3.endpoint": network.url(s3.endpoint)}
    way = network.source(database.params)
    world = RemoteWorld(tmp_path, params=database.params, by_way_of=way, bucket=s3.bucket(), storage=storage)
    world.create()
    return world


@pytest.fixture
def catalog(postgres: Postgres) -> Iterator[Database]:
    with postgres.database() as made:
        yield made


@requirement("ING-25", "STA-09", "ERR-01", "CON-35")
def test_a_storm_over_the_network(far: RemoteWorld, catalog: Database, network: Network) -> None:
    uri = network.url(catalog.url).replace("postgresql://", "postgresql+psycopg2://")
    storm("PostgreSQL → PostgreSQL + S3", replace(far, catalog_uri=uri), bad_weather(network.links, 3))


@pytest.fixture
def nessie(s3: S3, far: RemoteWorld) -> Iterator[Nessie]:
    """One whose answers send clients to the storage by way of its link: what a server says wins over settings."""
    server = started("nessie", lambda: start_nessie(s3, far.storage["s3.endpoint"]))
    yield server
    server.stop()


@requirement("ING-09", "ING-25", "STA-09", "ERR-01", "CON-35")
def test_a_storm_over_nessie(far: RemoteWorld, nessie: Nessie, network: Network) -> None:
    world = NessieWorld(
        far.root,
        catalog_uri=network.url(nessie.uri),
        params=far.params,
        by_way_of=far.by_way_of,
        bucket=nessie.warehouse.removeprefix("s3://"),
        storage=far.storage,
        branch=f"storm-{secrets.token_hex(4)}",
    )
    storm("PostgreSQL → Nessie + S3", world, bad_weather(network.links, 5))
    assert table(world, "acme.orders").io.properties["s3.endpoint"] == far.storage["s3.endpoint"]
