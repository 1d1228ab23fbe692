"""JSON Schemas of every kind of file, for editors and CI."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from dativo_provider.config.shapes.asset import Asset, WrappedAsset
from dativo_provider.config.shapes.base import Shape
from dativo_provider.config.shapes.contract import Contract, ContractFile
from dativo_provider.config.shapes.job import Job
from dativo_provider.config.shapes.policy import PolicyFile
from dativo_provider.config.shapes.recipe import Recipe, Registry
from dativo_provider.config.shapes.runner import Runner, RunnerFile
from dativo_provider.config.shapes.tenant import Tenant

__all__ = ["json_schemas"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS: dict[str, tuple[str, tuple[type[Shape], ...]]] = {
    "job": ("Dativo job", (Job,)),
    "contract": ("Data contract (ODCS)", (Contract,)),
    "asset": ("Dativo asset (older form of a contract)", (Asset, WrappedAsset)),
    "checks": ("Dativo checks for a contract", (ContractFile,)),
    "runner": ("Dativo runner", (Runner, RunnerFile)),
    "tenant": ("Dativo tenant", (Tenant,)),
    "policy": ("Dativo policy", (PolicyFile,)),
    "recipe": ("Dativo connector recipe", (Recipe,)),
    "registry": ("Dativo connector registry", (Registry,)),
}


class _Schema(GenerateJsonSchema):
    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        """Numbers may stand where text is wanted: `cost_center: 4711`, `version: 1.0`."""
        made = super().str_schema(schema)
        return {**made, "type": ["string", "number"]} if made.get("type") == "string" else made


def json_schemas() -> dict[str, dict[str, Any]]:
    """By kind of file. What a schema accepts, `load_job` and `check_paths` may still refuse for its meaning."""
    return {kind: _schema(title, models) for kind, (title, models) in _KINDS.items()}


def _schema(title: str, models: tuple[type[Shape], ...]) -> dict[str, Any]:
    made = [model.model_json_schema(by_alias=True, schema_generator=_Schema) for model in models]
    if len(made) == 1:
        return {"$schema": _DIALECT, **made[0], "title": title}
    parts = {name: part for each in made for name, part in each.pop("$defs", {}).items()}
    return {"$schema": _DIALECT, "title": title, "anyOf": made, "$defs": parts}
