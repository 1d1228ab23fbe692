"""What a YAML file is, by what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal

__all__ = ["Kind", "kind_of"]

# A `spec` describes an API, a `manifest` one in Airbyte's words; the connectors room knows their shapes.
Kind = Literal[
    "job",
    "odcs",
    "asset",
    "checks",
    "recipe",
    "spec",
    "manifest",
    "registry",
    "runner",
    "tenant",
    "defaults",
    "policy",
    "other",
    "unknown",
]
_JOB = frozenset(
    "tenant_id source_connector target_connector source_connector_path target_connector_path asset_path "
    "transformations schema_validation_mode retry_config".split()
)
_TENANT = frozenset(
    "namespace namespaces roots variables connections owners warehouse domain tenant_id name maintenance "
    "freshness".split()
)
_RUNNER = frozenset("runner orchestrator schedules".split())
_RECIPE = frozenset("default_engine connection_template credentials incremental rate_limits roles".split())
_MANIFEST = frozenset("version definitions check".split())  # those of the first years do not say what they are
# Files of the product's vocabulary that other rooms will read.
_OTHER = frozenset("compliance openmetadata server error_handling encryption audit_logging".split())


def kind_of(data: Mapping[str, Any], path: str = "") -> Kind:
    keys, name = data.keys(), PurePath(path).stem
    if keys & _RUNNER:
        return "runner"
    if "connectors" in keys:
        return "registry"
    if {"api", "streams"} <= keys:
        return "spec"
    if isinstance(data.get("streams"), list) and (data.get("type") == "DeclarativeSource" or keys >= _MANIFEST):
        return "manifest"
    if "policy" in keys and keys <= {"policy", "$schema"}:
        return "policy"
    if name == "tenant":
        return "tenant"
    if name == "defaults" and PurePath(path).parent.parent.name == "tenants":
        return "defaults"
    if (
        "apiVersion" in keys
        or "kind" in keys
        or "schema" in keys
        or ("asset" in keys and isinstance(data["asset"], dict))
    ):
        return _contract(data)
    if "type" in keys and len(keys & _RECIPE) >= 1 and not keys & _JOB:
        return "recipe"
    if "data_contract" in keys and not keys & (_JOB | {"source", "target", "asset", "transformations"}):
        return "checks" if isinstance(data["data_contract"], dict) and _is_file(data["data_contract"]) else "job"
    if keys & _JOB and not (keys <= _TENANT and keys & {"namespace", "roots", "variables", "connections", "owners"}):
        return "job"
    if "source" in keys and ("target" in keys or "schedule" in keys or isinstance(data["source"], dict)):
        return "job"
    if keys & _TENANT - {"name", "domain", "tenant_id"} and keys <= _TENANT | {"$schema", "tags", "description"}:
        return "tenant"
    if keys & {"source_type", "object"} and keys & {"name", "target", "team"}:
        return "asset"
    return "other" if keys & _OTHER else "unknown"


def _is_file(block: Mapping[str, Any]) -> bool:
    return bool(block.keys() & {"name", "asset_ref", "version", "status"})


def _contract(data: Mapping[str, Any]) -> Kind:
    if isinstance(data.get("kind"), str) and data["kind"] != "DataContract" and "schema" not in data:
        return "unknown"  # a Kubernetes manifest, say
    if isinstance(data.get("apiVersion"), str) and "/" in data["apiVersion"]:
        return "unknown"
    return "asset" if is_flat(data) else "odcs"


def is_flat(data: Mapping[str, Any]) -> bool:
    """The older form: `schema:` lists columns, or the product's own blocks stand at the top."""
    if isinstance(data.get("asset"), dict):
        return True
    schema = data.get("schema")
    items = [item for item in schema if isinstance(item, dict)] if isinstance(schema, list) else []
    if any("properties" in item and "type" not in item for item in items):
        return False
    own = data.keys() & {"source_type", "object", "target", "data_quality", "compliance", "change_management", "finops"}
    return bool(own) or any("type" in item for item in items)
