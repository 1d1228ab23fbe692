"""Local folders of files of one kind."""

from __future__ import annotations

from typing import ClassVar

from dativo_provider.connectors.csv.files import translated
from dativo_provider.connectors.csv.paths import Roots
from dativo_provider.connectors.files.formats import names_of
from dativo_provider.connectors.files.place import LocalPlace, Place
from dativo_provider.connectors.files.reader import FilesReader
from dativo_provider.errors import DativoError

__all__ = ["AvroReader", "JsonReader", "LocalReader", "MarkdownKvReader", "ParquetReader"]


class LocalReader(FilesReader):
    formats: ClassVar[tuple[str, ...]]

    def place_of(self) -> Place:
        return LocalPlace(Roots(self.source.roots, names_of(*self.formats)), self.ctx.check_cancelled)

    def translate(self, error: Exception) -> DativoError | None:
        return translated(error)


class JsonReader(LocalReader):
    formats = ("json", "jsonl")


class ParquetReader(LocalReader):
    form, formats = "parquet", ("parquet",)


class MarkdownKvReader(LocalReader):
    form, formats = "markdown_kv", ("markdown_kv",)


class AvroReader(LocalReader):
    form, formats = "avro", ("avro",)
