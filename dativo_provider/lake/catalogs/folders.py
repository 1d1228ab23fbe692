"""Local folders a catalog and its warehouse need."""

from __future__ import annotations

from pathlib import Path

from dativo_provider.errors import ConfigurationError

__all__ = ["make_folder"]


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as problem:
        raise ConfigurationError(
            "a file stands where a folder is needed", where=str(folder), remedy="correct DATIVO_HOME or the warehouse"
        ) from problem
