"""The servers as pytest fixtures, one per worker process and session, started by the first test that asks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from tests.services import azurite as azurite_leaf
from tests.services import bridges as bridges_leaf
from tests.services import duck as duck_leaf
from tests.services import envs as envs_leaf
from tests.services import gcs as gcs_leaf
from tests.services import glue as glue_leaf
from tests.services import mariadb as mariadb_leaf
from tests.services import minio as minio_leaf
from tests.services import mysql as mysql_leaf
from tests.services import nessie as nessie_leaf
from tests.services import postgres as postgres_leaf
from tests.services import rest as rest_leaf
from tests.services import s3 as s3_leaf
from tests.services import spark as spark_leaf
from tests.services import stripe_mock as stripe_mock_leaf
from tests.services import toxiproxy as toxiproxy_leaf
from tests.services import vault as vault_leaf
from tests.services.engine import Engine
from tests.services.framework import REQUIRED, Unavailable

T = TypeVar("T")
SERVICES = tuple(
    "postgres mariadb mysql s3 spark duck envs minio gcs azurite toxiproxy rest nessie glue bridges vault "
    "stripe_mock".split()
)
MISSING = "missing service"


def started(name: str, start: Callable[[], T]) -> T:
    """The started server; skips the test without it, or fails where servers are required."""
    try:
        return start()
    except Unavailable as error:
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{MISSING} {name}: {error}")
        pytest.skip(f"{MISSING} {name}: {error}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_leaf.Postgres]:
    server = started("postgres", postgres_leaf.start)
    yield server
    server.stop()


@pytest.fixture
def database(postgres: postgres_leaf.Postgres) -> Iterator[postgres_leaf.Database]:
    """An empty PostgreSQL database of this test."""
    with postgres.database() as made:
        yield made


@pytest.fixture(scope="session")
def mariadb() -> Iterator[mariadb_leaf.MariaDB]:
    server = started("mariadb", mariadb_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mysql() -> Iterator[mariadb_leaf.MariaDB]:
    server = started("mysql", mysql_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def s3() -> Iterator[s3_leaf.S3]:
    server = started("s3", s3_leaf.start)
    yield server
    server.stop()


@pytest.fixture
def bucket(s3: s3_leaf.S3) -> str:
    """An empty bucket of this test."""
    return s3.bucket()


@pytest.fixture(scope="session")
def spark() -> Iterator[Engine]:
    """Its JVM starts with the first question."""
    engine = started("spark", spark_leaf.start)
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def duck() -> Iterator[Engine]:
    engine = started("duck", duck_leaf.start)
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def envs() -> Path:
    """The folder of the engines' environments."""
    return started("envs", envs_leaf.start)


@pytest.fixture(scope="session")
def bridges() -> Path:
    """Environments of a real tap and a real Airbyte source, for `Settings.envs`."""
    return started("bridges", bridges_leaf.start)


@pytest.fixture(scope="session")
def manifest() -> Path:
    """A declarative manifest as Airbyte has published it."""
    return started("bridges", bridges_leaf.manifest)


@pytest.fixture(scope="session")
def sodacl_env(envs: Path) -> Path:
    """The interpreter that has Soda 3."""
    return envs_leaf.sodacl()


@pytest.fixture(scope="session")
def minio() -> Iterator[s3_leaf.S3]:
    server = started("minio", minio_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def gcs() -> Iterator[gcs_leaf.Gcs]:
    server = started("gcs", gcs_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def azurite() -> Iterator[azurite_leaf.Azure]:
    server = started("azurite", azurite_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def toxiproxy() -> Iterator[toxiproxy_leaf.Toxiproxy]:
    server = started("toxiproxy", toxiproxy_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def stripe_mock() -> Iterator[stripe_mock_leaf.StripeMock]:
    server = started("stripe_mock", stripe_mock_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def glue() -> Iterator[glue_leaf.Glue]:
    server = started("glue", glue_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def vault() -> Iterator[vault_leaf.Vault]:
    server = started("vault", vault_leaf.start)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rest(s3: s3_leaf.S3) -> Iterator[rest_leaf.Rest]:
    """Its tables are in `s3`."""
    server = started("rest", lambda: rest_leaf.start(s3))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def nessie(s3: s3_leaf.S3) -> Iterator[nessie_leaf.Nessie]:
    """Its tables are in `s3`."""
    server = started("nessie", lambda: nessie_leaf.start(s3))
    yield server
    server.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in SERVICES:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.service(name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says once, in colour, what was not tested for want of a server."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = [str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)]
    lines = sorted({reason.partition(MISSING)[2].splitlines()[0] for reason in reasons if MISSING in reason})
    for line in lines:
        count = sum(line in reason for reason in reasons)
        terminalreporter.write_line(f"NOT TESTED ({count} tests): {MISSING}{line}", yellow=True, bold=True)
