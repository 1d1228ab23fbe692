"""Small files by URI, wherever they are: plans, manifests, states and records. Data files belong to `lake`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from dativo_provider.errors import Unsupported
from dativo_provider.files.base import FileInfo, FileMissing, FileStore, Labels, ObjectStore
from dativo_provider.files.uri import canonical, file_uri, join, local_path, parent, relative, scheme

__all__ = [
    "FileInfo",
    "FileMissing",
    "FileStore",
    "Labels",
    "ObjectStore",
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


# By scheme: `module:Class`, imported when it is needed.
_STORES = {
    "file": "local:LocalFiles",
    **dict.fromkeys(("s3", "s3a", "s3n"), "s3:S3Files"),
    **dict.fromkeys(("gs", "gcs"), "gcs:GcsFiles"),
    **dict.fromkeys(("abfs", "abfss", "az"), "azure:AzureFiles"),
}


def open_files(uri: str, properties: Mapping[str, str] = _NO_PROPERTIES) -> FileStore:
    """The store that holds `uri`. `properties` are PyIceberg's (`s3.endpoint`, `s3.access-key-id`, ...)."""
    kind = scheme(uri)
    if kind not in _STORES:
        raise Unsupported(
            f"no file store for '{kind}://'",
            where=uri,
            remedy="use file:///…, s3://…, gs://… or abfss://…, the schemes this version can write",
        )
    module, _, name = _STORES[kind].partition(":")
    store: FileStore = getattr(import_module(f"{__name__}.{module}"), name)(properties)
    return store
