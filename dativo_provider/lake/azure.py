"""PyIceberg's Arrow FileIO for `abfss://container@account.dfs.core.windows.net/path`, which it takes for a container
of that whole name. https://learn.microsoft.com/azure/storage/blobs/data-lake-storage-introduction-abfs-uri"""

from __future__ import annotations

from typing import Any

from dativo_provider.lake.remote import RemoteFileIO

__all__ = ["AzureFileIO"]

_ACCOUNT = "adls.account-name"


class AzureFileIO(RemoteFileIO):
    def __init__(self, properties: Any = None) -> None:
        super().__init__(dict(properties or {}))

    @staticmethod
    def parse_location(location: str, properties: Any = None) -> tuple[str, str, str]:
        """The path without the account: that is what Arrow's file system wants."""
        scheme, netloc, path = RemoteFileIO.parse_location(location, properties or {})
        container, mark, _ = netloc.partition("@")
        return (scheme, netloc, container + path.removeprefix(netloc)) if mark else (scheme, netloc, path)

    def _initialize_fs(self, scheme: str, netloc: str | None = None) -> Any:
        account = (netloc or "").partition("@")[2].partition(".")[0]
        if account and _ACCOUNT not in self.properties:
            self.properties[_ACCOUNT] = account
        return super()._initialize_fs(scheme, netloc)
