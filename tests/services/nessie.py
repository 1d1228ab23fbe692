"""Nessie with its Iceberg REST endpoint, in memory. https://projectnessie.org/nessie-latest/configuration/"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.services.builds import JVM, answers, java, maven_copy
from tests.services.framework import Server, Unavailable, free_port, scratch, services_folder
from tests.services.s3 import S3

URL = "DATIVO_TEST_NESSIE_URL"  # with the default warehouse in DATIVO_TEST_S3_URL
ARTIFACT = "org.projectnessie.nessie:nessie-quarkus:0.99.0:jar:runner"
HINT = f"set {URL}, or run `python -m tests.services install nessie` (needs Maven and Java 21 or later)"


@dataclass
class Nessie:
    """A running server; its warehouse `warehouse` is at the URI of that name here."""

    uri: str
    warehouse: str
    server: Server | None = None

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start(store: S3, seen_at: str = "") -> Nessie:
    """Its warehouse is a bucket of `store`, as it takes no local folder; to its clients it says `seen_at`."""
    if url := os.environ.get(URL):
        return Nessie(url, os.environ["DATIVO_TEST_NESSIE_WAREHOUSE"])
    if not _jar().exists():
        raise Unavailable(f"no Nessie: {HINT}")
    runs_on, folder, bucket = java(21), scratch("nessie"), store.bucket()
    port, health = free_port(), free_port()
    (folder / "application.properties").write_text(_settings(store, bucket, port, health, seen_at))
    options = ["--add-opens", "java.base/java.lang=ALL-UNNAMED", "-Xmx384m", *JVM]
    config = f"-Dquarkus.config.locations={folder}/application.properties"
    server = Server([str(runs_on), *options, config, "-jar", str(_jar())], folder)
    server.wait_until(lambda: answers(f"http://127.0.0.1:{health}/q/health/ready"), 120)
    return Nessie(f"http://127.0.0.1:{port}", f"s3://{bucket}", server)


def _settings(store: S3, bucket: str, port: int, health: int, seen_at: str) -> str:
    """A secret's name must not begin with `nessie.catalog.`, or the server does not start."""
    s3 = "nessie.catalog.service.s3.default-options"
    found = {
        "quarkus.http.host": "127.0.0.1",
        "quarkus.http.port": port,
        "quarkus.management.host": "127.0.0.1",
        "quarkus.management.port": health,
        "quarkus.otel.sdk.disabled": "true",
        "nessie.version.store.type": "IN_MEMORY",
        "nessie.server.authentication.enabled": "false",
        "nessie.catalog.default-warehouse": "warehouse",
        "nessie.catalog.warehouses.warehouse.location": f"s3://{bucket}/",
        f"{s3}.endpoint": store.endpoint,
        f"{s3}.external-endpoint": seen_at or store.endpoint,
        f"{s3}.region": store.region,
        f"{s3}.path-style-access": "true",
        f"{s3}.request-signing-enabled": "false",
        f"{s3}.access-key": "urn:nessie-secret:quarkus:lake-secrets.s3",
        "lake-secrets.s3.name": store.access_key,
        "lake-secrets.s3.secret": store.secret_key,
    }
    return "".join(f"{key}={value}\n" for key, value in found.items())


def _jar() -> Path:
    _, name, version, _, classifier = ARTIFACT.split(":")
    return services_folder() / "nessie" / f"{name}-{version}-{classifier}.jar"


def install() -> str:
    if not _jar().exists():
        maven_copy(ARTIFACT, _jar().parent)
    return f"found {_jar()}"
