"""Small files by URI, wherever they are: plans, manifests, states and records. Data files belong to `lake`."""

from __future__ import annotations

from collections.abc import Mapping

from dativo_provider.errors import Unsupported
from dativo_provider.files.base import FileInfo, FileMissing, FileStore, Labels
from dativo_provider.files.uri import canonical, file_uri, join, local_path, parent, relative, scheme

__all__ = [
    "FileInfo",
    "FileMissing",
    "FileStore",
    "Labels",
    "canonical",
    "file_uri",
    "join",
    "local_path",
    "open_files",
    "parent",
    "relative",
    "scheme",
]

_NO_PROPERTIES: Mapping[str, str] = {}


def open_files(uri: str, properties: Mapping[str, str] = _NO_PROPERTIES) -> FileStore:
    """The store that holds `uri`. `properties` are PyIceberg's (`s3.endpoint`, `s3.access-key-id`, ...)."""
    kind = scheme(uri)
    if kind == "file":
        from dativo_provider.files.local import LocalFiles

        return LocalFiles()
    if kind in {"s3", "s3a", "s3n"}:
        from dativo_provider.files.s3 import S3Files

        return S3Files(properties)
    raise Unsupported(
        f"no file store for '{kind}://'",
        where=uri,
        remedy="use file:///… or s3://…, the schemes this version can write",
    )
