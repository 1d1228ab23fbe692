"""Where the files of a plain table are: data in Hive folders, everything else below `_dativo`.

    <root>/<domain>/<data product>/<table>/<column>=<value>/…/<table>_<plan id>_<staged name>.parquet
    <root>/_dativo/<domain>/<data product>/<table>/metadata/v42.metadata.json   manifests: versions of the table
    <root>/_dativo/<domain>/<data product>/<table>/data/run-<plan id>/          what runs have staged

Names of files carry plan id, slice, attempt and a nonce, so that no two runs can ever write the same one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, DataError
from dativo_provider.files import join
from dativo_provider.model.job import JobSpec, StreamSpec

if TYPE_CHECKING:
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema

__all__ = ["Layout", "folder_of", "folders", "plain_name", "plan_of", "root_of", "segment", "version_of"]

NULL, EMPTY = "__HIVE_DEFAULT_PARTITION__", "__EMPTY__"
_LITERAL = re.compile(r"[A-Za-z0-9._~-]|[^\x00-\x7f]")
_LONGEST = 255  # bytes of one name, on every file system we know
_LOADED_DAY = "_dativo_loaded_at_day"
_NAME = re.compile(r"\w[\w -]*", re.ASCII)
_VERSION = re.compile(r"/metadata/v(\d+)\.metadata\.json$")


@dataclass(frozen=True)
class Layout:
    """`root` is the URI of a bucket, a prefix or a folder; tables are named `<domain>.<data product>.<table>`."""

    root: str

    def data(self, name: Sequence[str]) -> str:
        return join(self.root, *name)

    def home(self, name: Sequence[str]) -> str:
        """The table's location: its manifests, states and staged files."""
        return join(self.root, "_dativo", *name)


def root_of(tenant: str, own: str, warehouse: str) -> str:
    """The job's own bucket or folder, else the tenant's in the deployment's warehouse; empty when neither is known."""
    return own or (join(warehouse, "parquet", tenant) if warehouse else "")


def folder_of(location: str, name: str) -> str:
    """The folder whose readers see the rows of the table at `location`; empty for a table of a catalog."""
    hidden = join("_dativo", *name.split("."))
    return join(location.removesuffix(f"/{hidden}"), *name.split(".")) if location.endswith(f"/{hidden}") else ""


def plain_name(job: JobSpec, stream: StreamSpec) -> str:
    """`<domain>.<data product>.<table>`. Raises `ConfigurationError` for what is no folder name."""
    contract, where = stream.contract, job.path or job.dag_id
    parts = (contract.domain or "default", contract.data_product or "default", stream.table)
    return ".".join(_folder(part, where) for part in parts)


def _folder(text: str, where: str) -> str:
    if not _NAME.fullmatch(text):
        raise ConfigurationError(f"'{text}' cannot name a folder", where=where, remedy="use letters, digits, _ and -")
    return re.sub(r"[ -]", "_", text.lower())


def folders(values: Sequence[Any], spec: PartitionSpec, schema: Schema) -> list[str]:
    """`column=value` for each partition value, given in Iceberg's representation. Raises `DataError`."""
    return [_folder_of(value, field, schema) for value, field in zip(values, spec.fields, strict=True)]


def _folder_of(value: Any, field: PartitionField, schema: Schema) -> str:
    name = "ingest_date" if field.name == _LOADED_DAY else field.name
    kind = schema.find_type(field.source_id)
    made = segment(name, None if value is None else _text(value, field.transform, kind))
    if len(made.encode()) > _LONGEST:
        raise DataError(
            f"a value of '{name}' is too long to name a folder",
            where=name,
            remedy="partition by bucket[N] or truncate[W] of this column, or by another one",
        )
    return made


def _text(value: Any, transform: Any, kind: Any) -> str:
    from pyiceberg.types import StringType

    if isinstance(kind, StringType) or isinstance(value, bool):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return str(transform.to_human_string(kind, value))


def segment(name: str, value: str | None) -> str:
    """`name=value` as Hive, Spark, DuckDB and Arrow read it; different values never give the same.

    ASCII signs that mean something in a path become %XX. Other letters stay: Spark decodes byte by byte. Hive has
    no folder for the empty text and would make it NULL.
    """
    if value is None:
        return f"{_escaped(name)}={NULL}"
    if value == "":
        return f"{_escaped(name)}={EMPTY}"
    text = _escaped(value)
    return f"{_escaped(name)}={'%5F' + text[1:] if text in (NULL, EMPTY) else text}"


def _escaped(text: str) -> str:
    return "".join(sign if _LITERAL.fullmatch(sign) else f"%{ord(sign):02X}" for sign in text)


def plan_of(uri: str, table: str) -> str:
    """The plan id in the name of a published file; empty for a file that is not ours."""
    name = uri.rpartition("/")[2]
    if not (name.startswith(f"{table}_") and name.endswith(".parquet")):
        return ""
    plan, separator, _rest = name.removeprefix(f"{table}_").partition("_")
    return plan if separator else ""


def version_of(uri: str) -> int:
    """The number in the name of a manifest; 0 for other files."""
    match = _VERSION.search(uri)
    return int(match[1]) if match else 0
