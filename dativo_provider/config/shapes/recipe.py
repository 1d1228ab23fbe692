"""Connector recipes, and the registry of connectors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dativo_provider.config.shapes.base import Mapped, Shape, schema_key, text_or
from dativo_provider.config.shapes.source import Strategy
from dativo_provider.config.shapes.target import FileFormat, Partitioning
from dativo_provider.vocabulary import Role

__all__ = ["Connector", "Recipe", "Registry"]


class RecipeEngine(Shape):
    """Implementation of the connector."""

    type: Literal["native", "airbyte", "meltano", "singer", "jdbc", "spark"] = Field(
        default="native",
        description="`singer` (or `meltano`) and `airbyte` are used where Dativo has no reader of its own.",
    )
    options: dict[str, Mapped] = Field(default={}, description="Options by engine: `native: {batch_size: 10000}`.")


class Credentials(Shape):
    """How the connector logs in."""

    type: Literal["api_key", "basic", "service_account", "oauth2", "none"] = Field(
        default="none", description="Kind of credentials."
    )
    from_env: str = Field(default="", description="Environment variable that holds the key.")
    file_template: str = Field(default="", description="File that holds it: `/secrets/{tenant}/x.json`.")


class RecipeIncremental(Shape):
    """Defaults of `source.incremental`."""

    strategy: Strategy | None = Field(default=None, description="Default strategy.")
    cursor_field_default: str = Field(default="", description="Default cursor column.")
    lookback_days_default: float | None = Field(default=None, ge=0, description="Default lookback.")


class Recipe(Shape):
    """A connector as a team has set it up; jobs merge their blocks over it, one level deep."""

    schema_: str = schema_key()
    name: str = Field(min_length=1, description="Name of the recipe.")
    type: str = Field(min_length=1, description="Connector.")
    roles: list[Role] = Field(min_length=1, description="`source`, `target` or both.")
    description: str = Field(default="", description="For people.")
    version: str = Field(default="", description="For people.")
    default_engine: Annotated[
        RecipeEngine, BeforeValidator(text_or("type"), json_schema_input_type=str | RecipeEngine)
    ] | None = Field(default=None, description="Implementation and its options.")  # fmt: skip
    credentials: Credentials | None = Field(default=None, description="How the connector logs in.")
    connection_template: Mapped = Field(default={}, description="Defaults of `connection`.")
    incremental: RecipeIncremental | None = Field(default=None, description="Defaults of `source.incremental`.")
    rate_limits: Mapped = Field(default={}, description="`rps_default`, `burst_default`, `retry`.")
    catalog: Any = Field(default=None, description="Default of `target.catalog`.")
    file_format: FileFormat | None = Field(default=None, description="Default of `target.file_format`.")
    partitioning_default: Partitioning | None = Field(default=None, description="Default of `target.partitioning`.")


class Connector(Shape):
    """What a connector can do."""

    roles: list[Role] = Field(min_length=1, description="`source`, `target` or both.")
    category: str = Field(default="", description="For people.")
    default_engine: str = Field(default="native", description="Implementation.")
    engines_supported: list[str] = Field(default=[], description="Implementations there are.")
    allowed_in_cloud: bool = Field(default=True, description="Whether cloud mode may use it.")
    supports_incremental: bool = Field(default=False, description="Whether it can read what is new only.")
    incremental_strategy_default: Strategy | None = Field(default=None, description="Default strategy.")
    objects_supported: list[str] = Field(default=[], description="Objects it knows.")
    requires_tables: bool = Field(default=False, description="Whether `source.tables` must be there.")
    supports_queries: bool = Field(default=False, description="Whether `query` is possible.")
    file_formats: list[FileFormat] = Field(default=[], description="Formats it writes.")
    supports_schema_evolution: bool = Field(default=False, description="Whether tables may gain columns.")


class Registry(Shape):
    """Connectors of a deployment, beside the built-in ones."""

    schema_: str = schema_key()
    version: Literal[3] = Field(description="Version of this format.")
    connectors: dict[str, Connector] = Field(description="Connectors by name.")
