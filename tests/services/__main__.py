"""`python -m tests.services install` fetches every server the tests can use into `.services/`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.services import (
    azurite,
    bridges,
    duck,
    envs,
    gcs,
    mariadb,
    minio,
    mysql,
    nessie,
    postgres,
    prism,
    rest,
    s3,
    spark,
    stripe_mock,
    toxiproxy,
    vault,
)
from tests.services.framework import Unavailable

# By the tool that fetches them: one at a time of each, for they lock their caches, and all tools at once.
LANES = (
    {"postgres": postgres.install, "mariadb": mariadb.install},
    {
        "s3": s3.install,
        "minio": minio.install,
        "gcs": gcs.install,
        "toxiproxy": toxiproxy.install,
        "stripe_mock": stripe_mock.install,
    },
    {"spark": spark.install, "rest": rest.install, "nessie": nessie.install, "mysql": mysql.install},
    {"azurite": azurite.install, "prism": prism.install},
    {"duck": duck.install, "envs": envs.install, "bridges": bridges.install},
)
BY_NAME = {"vault": vault.install}  # takes longer than all others together; a stand-in answers where it is not there
NAMES = sorted(name for lane in (*LANES, BY_NAME) for name in lane)


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] != "install" or set(arguments[1:]) - set(NAMES):
        print(f"usage: python -m tests.services install [{'|'.join(NAMES)}]...")
        return 2
    wanted = set(arguments[1:] or set(NAMES) - set(BY_NAME))
    with ThreadPoolExecutor(len(LANES) + 1) as pool:
        failed = sum(pool.map(lambda lane: _installed(lane, wanted), (*LANES, BY_NAME)))
    return 1 if failed else 0


def _installed(lane: Mapping[str, Callable[[], str]], wanted: Collection[str]) -> int:
    """How many could not be."""
    failed = 0
    for name in (name for name in lane if name in wanted):
        begun = time.monotonic()
        try:
            print(f"{name}: {lane[name]()} ({time.monotonic() - begun:.0f} s)", flush=True)
        except Unavailable as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr, flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
