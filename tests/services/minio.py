"""MinIO, the other S3 server; AGPL, for tests only. https://github.com/minio/minio"""

from __future__ import annotations

import os

from tests.services.builds import answers, go_install, need_program
from tests.services.framework import Server, free_port, scratch
from tests.services.s3 import S3

URL = "DATIVO_TEST_MINIO_URL"  # with DATIVO_TEST_MINIO_KEY and DATIVO_TEST_MINIO_SECRET
MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
HINT = f"set {URL}, or run `python -m tests.services install minio` (needs Go)"


def start() -> S3:
    """The store of `DATIVO_TEST_MINIO_URL`, or one started here."""
    if url := os.environ.get(URL):
        return S3(url, os.environ["DATIVO_TEST_MINIO_KEY"], os.environ["DATIVO_TEST_MINIO_SECRET"], "environment")
    binary = need_program("minio", HINT)
    folder, port = scratch("minio"), free_port()
    store = S3(f"http://127.0.0.1:{port}", "dativo-test", "dativo-test-secret", "minio")
    login = {"MINIO_ROOT_USER": store.access_key, "MINIO_ROOT_PASSWORD": store.secret_key}
    command = [str(binary), "server", "--quiet", f"{folder}/data", "--address", f"127.0.0.1:{port}"]
    store.server = Server(command, folder, env={**login, "MINIO_UPDATE": "off", "MINIO_BROWSER": "off"})
    store.server.wait_until(lambda: answers(f"{store.endpoint}/minio/health/ready"))
    return store


def install() -> str:
    return go_install(MODULE, "minio")
