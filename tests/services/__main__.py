"""`python -m tests.services install` fetches every server the tests can use into `.services/`."""

from __future__ import annotations

import sys

from tests.services import (
    azurite,
    bridges,
    duck,
    envs,
    gcs,
    mariadb,
    minio,
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

LEAVES = {
    "postgres": postgres.install,
    "mariadb": mariadb.install,
    "s3": s3.install,
    "spark": spark.install,
    "duck": duck.install,
    "envs": envs.install,
    "bridges": bridges.install,
    "minio": minio.install,
    "gcs": gcs.install,
    "azurite": azurite.install,
    "prism": prism.install,
    "toxiproxy": toxiproxy.install,
    "rest": rest.install,
    "nessie": nessie.install,
    "stripe_mock": stripe_mock.install,
    "vault": vault.install,
}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] != "install" or set(arguments[1:]) - set(LEAVES):
        print(f"usage: python -m tests.services install [{'|'.join(LEAVES)}]...")
        return 2
    failed = 0
    for name in arguments[1:] or LEAVES:
        try:
            print(f"{name}: {LEAVES[name]()}", flush=True)
        except Unavailable as error:
            failed += 1
            print(f"{name}: {error}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
