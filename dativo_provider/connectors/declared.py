"""Connectors without a leaf in this package: known by name to the configuration, run elsewhere or not yet.

A leaf that declares the same name replaces its row here.
"""

from __future__ import annotations

from dataclasses import replace

from dativo_provider.config.known import BUILT_IN, Known
from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities
from dativo_provider.vocabulary import Role

__all__ = ["CONNECTORS"]

# Targets live in rooms of their own.
_PLAIN = "dativo_provider.lake.plain.target:PlainTarget"
_TARGETS = {
    "iceberg": "dativo_provider.lake.iceberg:IcebergTarget",
    "s3": _PLAIN,
    "minio": _PLAIN,
    "parquet": _PLAIN,
}


def _row(known: Known) -> ConnectorInfo:
    roles: tuple[Role, ...] = tuple(role for role in ("source", "target") if known.can_be(role))
    able = Capabilities(incremental=bool(known.strategy), allowed_in_cloud=known.cloud)
    info = ConnectorInfo(known.name, roles, known.kind, "", able, (known.strategy,) if known.strategy else ())
    return replace(info, target=_TARGETS.get(known.name, ""))


CONNECTORS = tuple(map(_row, BUILT_IN.values()))
