"""Which PyIceberg FileIO holds a warehouse: Arrow's file systems, with more doubt where a network lies between."""

from __future__ import annotations

from dativo_provider.files import scheme

__all__ = ["file_io"]

_LOCAL, _REMOTE = "pyiceberg.io.pyarrow.PyArrowFileIO", "dativo_provider.lake.remote.RemoteFileIO"
_BY_SCHEME = {"file": _LOCAL, **dict.fromkeys(("abfs", "abfss"), "dativo_provider.lake.azure.AzureFileIO")}


def file_io(warehouse: str) -> str:
    """The class, as `py-io-impl` names it."""
    return _BY_SCHEME.get(scheme(warehouse), _REMOTE)
