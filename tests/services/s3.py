"""S3: VersityGW, which honours conditional writes; else moto. https://github.com/versity/versitygw"""

from __future__ import annotations

import os
import shutil
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.services.framework import Server, Unavailable, free_port, run, scratch, services_folder

URL = "DATIVO_TEST_S3_URL"  # with DATIVO_TEST_S3_KEY and DATIVO_TEST_S3_SECRET
MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
HINT = f"set {URL}, or run `python -m tests.services install` (needs Go), or install moto[server]"
_numbers = count(1)


@dataclass
class S3:
    """A running object store."""

    endpoint: str
    access_key: str
    secret_key: str
    kind: str
    region: str = "us-east-1"
    server: Server | None = None

    @property
    def properties(self) -> dict[str, str]:
        """In PyIceberg's words."""
        return {
            "s3.endpoint": self.endpoint,
            "s3.access-key-id": self.access_key,
            "s3.secret-access-key": self.secret_key,
            "s3.region": self.region,
        }

    def client(self) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def bucket(self) -> str:
        """The name of a fresh bucket."""
        name = f"dativo-{os.getpid()}-{next(_numbers)}"
        self.client().create_bucket(Bucket=name)
        return name

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start() -> S3:
    """The store of `DATIVO_TEST_S3_URL`, or one started here."""
    if url := os.environ.get(URL):
        return S3(url, os.environ["DATIVO_TEST_S3_KEY"], os.environ["DATIVO_TEST_S3_SECRET"], "environment")
    gateway = _gateway()
    return _versitygw(gateway) if gateway else _moto()


def _gateway() -> Path | None:
    found = shutil.which("versitygw") or services_folder() / "bin" / "versitygw"
    return Path(found) if Path(found).exists() else None


def _versitygw(binary: Path) -> S3:
    folder, port = scratch("s3"), free_port()
    for name in ("data", "versions"):
        (folder / name).mkdir()
    store = S3(f"http://127.0.0.1:{port}", "dativo-test", "dativo-test-secret", "versitygw")
    command = [str(binary), "--quiet", "--port", f"127.0.0.1:{port}", "--health", "/health", "posix"]
    keys = {"ROOT_ACCESS_KEY": store.access_key, "ROOT_SECRET_KEY": store.secret_key}
    paths = ["--versioning-dir", f"{folder}/versions", f"{folder}/data"]
    store.server = Server([*command, *paths], folder, env=keys)
    store.server.wait_until(lambda: _answers(f"{store.endpoint}/health"))
    return store


def _moto() -> S3:
    import importlib.util

    if not importlib.util.find_spec("moto"):
        raise Unavailable(f"no S3 server: {HINT}")
    folder, port = scratch("s3"), free_port()
    server = Server([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], folder)
    server.wait_until(lambda: _answers(f"http://127.0.0.1:{port}/moto-api/"))
    return S3(f"http://127.0.0.1:{port}", "testing", "testing", "moto", server=server)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def install() -> str:
    """Builds the gateway where Go is; elsewhere moto serves."""
    if found := _gateway():
        return f"found {found}"
    if not shutil.which("go"):
        return "no Go here: moto's server will be used"
    target = services_folder() / "bin"
    target.mkdir(parents=True, exist_ok=True)
    run(["go", "install", "-ldflags=-s -w", MODULE], env={**os.environ, "GOBIN": str(target), "CGO_ENABLED": "0"})
    return f"built {_gateway()}"
