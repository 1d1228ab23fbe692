"""Azure Blob Storage: Microsoft's Azurite, with its published account. https://github.com/Azure/Azurite"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.services.builds import speaks_http
from tests.services.framework import Server, Unavailable, free_port, run, scratch, services_folder

URL = "DATIVO_TEST_AZURE_URL"  # of the account, with DATIVO_TEST_AZURE_ACCOUNT and DATIVO_TEST_AZURE_KEY
PACKAGE = "azurite@3.35.0"
HINT = f"set {URL}, or run `python -m tests.services install azurite` (needs npm)"
# the same in every installation: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_numbers = count(1)


@dataclass
class Azure:
    """`authority` is `host:port`; the account is the first part of the path."""

    authority: str
    account: str = ACCOUNT
    key: str = KEY
    server: Server | None = None

    @property
    def properties(self) -> dict[str, str]:
        """In PyIceberg's words."""
        return {
            "adls.account-name": self.account,
            "adls.account-key": self.key,
            "adls.blob-storage-authority": self.authority,
            "adls.blob-storage-scheme": "http",
            "adls.dfs-storage-authority": self.authority,
            "adls.dfs-storage-scheme": "http",
        }

    def client(self) -> Any:
        from azure.storage.blob import BlobServiceClient

        return BlobServiceClient(f"http://{self.authority}/{self.account}", credential=self.key)

    def bucket(self) -> str:
        """The name of a fresh container."""
        name = f"dativo-{os.getpid()}-{next(_numbers)}"
        self.client().create_container(name)
        return name

    def stop(self) -> None:
        if self.server:
            self.server.stop()


def start() -> Azure:
    """The account of `DATIVO_TEST_AZURE_URL` (`host:port`), or one started here."""
    if authority := os.environ.get(URL):
        return Azure(authority, os.environ["DATIVO_TEST_AZURE_ACCOUNT"], os.environ["DATIVO_TEST_AZURE_KEY"])
    node, main = shutil.which("node"), _main()
    if not node or not main.exists():
        raise Unavailable(f"no Azurite: {HINT}")
    folder, port = scratch("azurite"), free_port()
    options = ["--silent", "--disableTelemetry", "--inMemoryPersistence", "--skipApiVersionCheck"]
    server = Server([node, str(main), *options, "--blobHost", "127.0.0.1", "--blobPort", str(port)], folder)
    server.wait_until(lambda: speaks_http(f"http://127.0.0.1:{port}/"))
    return Azure(f"127.0.0.1:{port}", server=server)


def _main() -> Path:
    return services_folder() / "azurite/node_modules/azurite/dist/src/blob/main.js"


def install() -> str:
    if not _main().exists():
        if not shutil.which("npm"):
            raise Unavailable("npm is not here (apt-get install npm)")
        folder = services_folder() / "azurite"
        folder.mkdir(parents=True, exist_ok=True)
        run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE], cwd=folder)
    return f"found {_main()}"
