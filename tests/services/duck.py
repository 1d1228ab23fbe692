"""DuckDB with its Iceberg extension: another engine that reads what we published.

In an environment of its own: the DuckDB we run on has no extensions on PyPI. https://duckdb.org/docs/extensions/iceberg
"""

from __future__ import annotations

import venv
from pathlib import Path

from tests.services.engine import Engine
from tests.services.framework import Unavailable, run, services_folder
from tests.services.rest import Rest
from tests.services.s3 import S3

VERSION = "1.5.5"
PACKAGES = (
    f"duckdb=={VERSION}",
    *(f"duckdb-extension-{name}=={VERSION}" for name in ("avro", "httpfs", "iceberg")),
    "pytz==2026.6",  # its Python client hands moments over by it
)
HINT = "run `python -m tests.services install duck`"


def start() -> Engine:
    """Raises `Unavailable` unless it is installed."""
    if not _ready().exists():
        raise Unavailable(f"no DuckDB {VERSION}: {HINT}")
    return Engine([str(_home() / "bin/python")], "duck_engine.py", {})


def reads_from(store: S3) -> str:
    """The statement after which it reads from there."""
    endpoint = store.endpoint.removeprefix("http://")
    return (
        f"CREATE OR REPLACE SECRET (TYPE s3, KEY_ID '{store.access_key}', SECRET '{store.secret_key}', "
        f"ENDPOINT '{endpoint}', REGION '{store.region}', URL_STYLE 'path', USE_SSL false)"
    )


def attaches(catalog: Rest, name: str) -> str:
    """The statement after which the catalog's tables are `<name>.<namespace>.<table>`."""
    return f"ATTACH '' AS {name} (TYPE iceberg, ENDPOINT '{catalog.uri}', AUTHORIZATION_TYPE 'none')"


def _home() -> Path:
    return services_folder() / "duck" / VERSION


def _ready() -> Path:
    return _home() / ".ready"


def install() -> str:
    if not _ready().exists():
        venv.create(_home(), with_pip=True, clear=True)
        run([str(_home() / "bin/python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES])
        _ready().touch()
    return f"found {_home()}"
