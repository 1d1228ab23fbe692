"""Iceberg's own REST catalog server, on its JDBC catalog. https://github.com/apache/iceberg/tree/main/open-api"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tests.services.builds import JVM, answers, java, maven
from tests.services.framework import Server, Unavailable, free_port, scratch, services_folder
from tests.services.s3 import S3

URL = "DATIVO_TEST_REST_URL"  # a catalog whose tables are in DATIVO_TEST_S3_URL
VERSION = "1.11.0"
HINT = f"set {URL}, or run `python -m tests.services install rest` (needs Maven and Java 17)"
POM = Path(__file__).with_name("rest_pom.xml")


@dataclass
class Rest:
    """A running catalog; its tables are below `warehouse`."""

    uri: str
    warehouse: str
    server: Server | None = None

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start(store: S3 | None = None) -> Rest:
    """Its tables are in a bucket of `store`, else in a local folder."""
    if (url := os.environ.get(URL)) and store:
        return Rest(url, os.environ["DATIVO_TEST_REST_WAREHOUSE"])
    if not list(_jars().glob("iceberg-open-api-*.jar")):
        raise Unavailable(f"no REST catalog server: {HINT}")
    runs_on, folder, port = java(17), scratch("rest"), free_port()
    warehouse = f"s3://{store.bucket()}/rest" if store else f"file://{folder}/warehouse"
    settings = {
        "CATALOG_REST_PORT": str(port),
        "CATALOG_WAREHOUSE": warehouse,
        "CATALOG_URI": f"jdbc:sqlite:{folder}/catalog.db",
        "CATALOG_CATALOG__IMPL": "org.apache.iceberg.jdbc.JdbcCatalog",
        "CATALOG_JDBC_USER": "user",
        "CATALOG_JDBC_PASSWORD": "password",
        **(_of(store) if store else {}),
    }
    command = [str(runs_on), "-Xmx256m", *JVM, "-cp", f"{_jars()}/*", "org.apache.iceberg.rest.RESTCatalogServer"]
    server = Server(command, folder, env=settings)
    uri = f"http://127.0.0.1:{port}"
    server.wait_until(lambda: answers(f"{uri}/v1/config"))
    return Rest(uri, warehouse, server)


def _of(store: S3) -> dict[str, str]:
    return {
        "CATALOG_IO__IMPL": "org.apache.iceberg.aws.s3.S3FileIO",
        "CATALOG_S3_ENDPOINT": store.endpoint,
        "CATALOG_S3_PATH__STYLE__ACCESS": "true",
        "AWS_ACCESS_KEY_ID": store.access_key,
        "AWS_SECRET_ACCESS_KEY": store.secret_key,
        "AWS_REGION": store.region,
    }


def _jars() -> Path:
    return services_folder() / "rest" / "libs"


def install() -> str:
    if not list(_jars().glob("iceberg-open-api-*.jar")):
        options = ["-DincludeScope=runtime", f"-Diceberg={VERSION}", f"-DoutputDirectory={_jars()}"]
        maven("-f", str(POM), "dependency:copy-dependencies", *options)
    return f"found {_jars()}"
