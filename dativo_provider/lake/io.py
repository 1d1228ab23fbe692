"""Which PyIceberg FileIO holds a warehouse: Arrow's file systems, for every store."""

from __future__ import annotations

from dativo_provider.files import scheme

__all__ = ["file_io"]

_ARROW = "pyiceberg.io.pyarrow.PyArrowFileIO"
_AZURE = "dativo_provider.lake.azure.AzureFileIO"


def file_io(warehouse: str) -> str:
    """The class, as `py-io-impl` names it."""
    return _AZURE if scheme(warehouse) in {"abfs", "abfss"} else _ARROW
