"""Contracts written from what a source says of itself: ODCS 3.1, ready to be completed by a person."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Field, Stream
from dativo_provider.model.types import split_nested

__all__ = ["contract_of", "write_contracts"]

NAMESPACE = uuid.UUID("6f1f3b52-54e6-5a43-b2f1-0c1c7d1b7a55")
LOGICAL = {
    "boolean": "boolean", "int": "integer", "long": "integer", "float": "number", "double": "number",
    "date": "date", "time": "time", "timestamp": "timestamp", "timestamptz": "timestamp",
    "string": "string", "uuid": "string", "binary": "string",
}  # fmt: skip
HEADER = "# Written by `dativo discover`: add descriptions, rules and owners, then use it as the job's contract.\n"


def write_contracts(streams: Sequence[Stream], path: Path, tenant: str = "") -> list[Path]:
    """One file per stream; never over a file that is there. Raises `ConfigurationError`."""
    targets = _targets(streams, path)
    for target in targets:
        if target.exists():
            raise ConfigurationError(f"{target} is there already", remedy="choose another --write PATH, or remove it")
    for stream, target in zip(streams, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(HEADER + _yaml(contract_of(stream, tenant)), encoding="utf-8")
    return targets


def _targets(streams: Sequence[Stream], path: Path) -> list[Path]:
    if path.suffix not in (".yaml", ".yml"):
        return [path / f"{table_name(stream.name)}.odcs.yaml" for stream in streams]
    if len(streams) != 1:
        raise ConfigurationError(
            f"{len(streams)} objects do not fit into the one file {path}",
            remedy="name a folder, or choose one with --object NAME",
        )
    return [path]


def table_name(name: str) -> str:
    """`public.Order Items` → `order_items`."""
    last = name.rpartition("/")[2].removesuffix(".gz").removesuffix(".csv").rpartition(".")[2]
    return re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_") or "table"


def contract_of(stream: Stream, tenant: str = "") -> dict[str, Any]:
    name = table_name(stream.name)
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": str(uuid.uuid5(NAMESPACE, f"{tenant}/{stream.name}")),
        "name": name,
        "version": "0.1.0",
        "status": "draft",
        **({"tenant": tenant} if tenant else {}),
        "description": {"purpose": stream.description or f"Rows of {stream.name}."},
        "schema": [
            {
                "name": name,
                "physicalName": stream.name,
                "logicalType": "object",
                "properties": [_property(field, stream.primary_key) for field in stream.fields],
            }
        ],
    }


def _property(field: Field, key: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": field.name, "logicalType": logical_type(field.type), "physicalType": field.type}
    if field.name in key:
        made |= {"primaryKey": True, "primaryKeyPosition": key.index(field.name) + 1}
    if field.required or field.name in key:
        made["required"] = True
    if field.classification:
        made["classification"] = field.classification
    if field.description:
        made["description"] = field.description
    if field.type.startswith("timestamp"):
        made["logicalTypeOptions"] = {"timezone": field.type == "timestamptz"}
    return made


def logical_type(name: str) -> str:
    nested = split_nested(name)
    if nested:
        return "array" if nested[0] == "list" else "object"
    return "number" if name.startswith("decimal") else LOGICAL[name]


def _yaml(value: dict[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
