"""The older asset file: a flat list of columns and Dativo's own blocks; also inside a wrapper `asset:`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dativo_provider.config.shapes.base import Mapped, Names, Shape, schema_key, text_or
from dativo_provider.config.shapes.checks import ContractBlock
from dativo_provider.config.shapes.contract import Custom, Links, PropertyBase, SlaProperty
from dativo_provider.config.shapes.target import FileFormat, Partitioning, SchemaMode

__all__ = ["Asset", "AssetField", "WrappedAsset"]


class AssetField(PropertyBase):
    """A column."""

    name: str = Field(min_length=1, description="Name of the column.")
    type: str | None = Field(
        default=None,
        description="`string`, `integer`, `bigint`, `float`, `double`, `boolean`, `date`, `timestamp`, `array`, …",
    )
    logicalType: str | None = Field(default=None, description="ODCS's name of `type`.")  # noqa: N815


class AssetTarget(Shape):
    """How the table is laid out, unless the job says otherwise."""

    file_format: FileFormat | None = Field(default=None, description="Format of the data files.")
    partitioning: Partitioning | None = Field(default=None, description="Partition fields; see the job's `target`.")
    mode: SchemaMode | None = Field(default=None, description="Schema changes; see the job's `target`.")


class Team(Shape):
    """Who answers for the data."""

    owner: str = Field(min_length=1, description="Who answers for the data.")
    roles: list[Mapped] = Field(default=[], description="People: `name`, `email`, `responsibility`.")


class Governance(Shape):
    """Older form of `team`, `tags` and `compliance`."""

    owner: str = Field(default="", description="Who answers for the data.")
    tags: Names = Field(default=[], description="Tags.")
    classification: Names = Field(default=[], description="Classes of the table.")
    retention_days: int | None = Field(default=None, ge=0, description="Days that rows are kept.")
    regulations: Names = Field(default=[], description="`GDPR`, `HIPAA`, …")
    domain: str = Field(default="", description="Data domain.")
    data_product: str = Field(default="", description="Data product.")
    openmetadata: Mapped = Field(default={}, description="What OpenMetadata is told.")


class Compliance(Shape):
    """Legal facts."""

    classification: Names = Field(default=[], description="Classes of the table; the first is its default.")
    regulations: Names = Field(default=[], description="`GDPR`, `HIPAA`, …")
    retention_days: int | None = Field(default=None, ge=0, description="Days that rows are kept.")
    security: Mapped = Field(default={}, description="`access_control`, `encryption_required`.")
    user_consent_required: bool | None = Field(default=None, description="For people.")


class Monitoring(Shape):
    """Who is called."""

    enabled: bool = Field(default=False, description="Whether somebody is called.")
    oncall_rotation: str = Field(default="", description="Who; needed when enabled.")


class DataQuality(Shape):
    """Checks and alerts."""

    expectations: list[Mapped] = Field(default=[], description="Checks in short form.")
    monitoring: Monitoring | None = Field(default=None, description="Who is called.")
    alerts: Mapped = Field(default={}, description="`channels`, `thresholds`.")


class ChangeManagement(Shape):
    """How the contract changes."""

    policy: Literal["breaking", "non-breaking"] = Field(default="non-breaking", description="What may change.")
    approval_required: bool = Field(default=False, description="For people.")
    notification_channels: Names = Field(default=[], description="For people.")
    version_history: Any = Field(default=None, description="For people.")


class Asset(Shape):
    """Columns of one table and who owns them (older form of a contract)."""

    schema_url: str = schema_key()
    apiVersion: str = Field(default="v3.0.2", description="Kept for older tools.")  # noqa: N815
    kind: str = Field(default="DataContract", description="Kept for older tools.")
    id: str = Field(default="", description="Unique id.")
    name: str = Field(min_length=1, description="Name of the asset; names the table.")
    version: str = Field(default="1.0", description="Version of the asset.")
    status: str = Field(default="active", description="State of the asset.")
    domain: str = Field(default="", description="Data domain.")
    dataProduct: str = Field(default="", description="Data product.")  # noqa: N815
    tenant: str = Field(default="", description="For people; not the tenant of the job.")
    description: Annotated[Mapped, BeforeValidator(text_or("purpose"), json_schema_input_type=str | dict[str, Any])] = (
        Field(default={}, description="`purpose`, `usage`, `limitations`.")
    )
    tags: Names = Field(default=[], description="Tags.")
    source_type: str = Field(default="", description="Connector the columns come from.")
    object: str = Field(default="", description="Object of that connector.")
    schema_: list[AssetField] = Field(default=[], alias="schema", description="Columns, in order.")
    target: AssetTarget | None = Field(default=None, description="How the table is laid out.")
    team: Team | None = Field(default=None, description="Who answers for the data.")
    governance: Governance | None = Field(default=None, description="Older form of `team`, `tags` and `compliance`.")
    compliance: Compliance | None = Field(default=None, description="Legal facts.")
    data_quality: DataQuality | None = Field(default=None, description="Checks and alerts.")
    data_contract: ContractBlock | None = Field(default=None, description="Checks.")
    change_management: ChangeManagement | None = Field(default=None, description="How the asset changes.")
    finops: Mapped = Field(default={}, description="`cost_center`, `budget_code`, `business_tags`, …")
    features: list[Mapped] = Field(default=[], description="Feature definitions.")
    ml_metadata: Mapped = Field(default={}, description="Notes on training.")
    feature_store: Mapped = Field(default={}, description="Feature store.")
    ml_platforms: Mapped = Field(default={}, description="Machine-learning platforms.")
    servers: list[Mapped] = Field(default=[], description="Where the data is; not read.")
    support: Any = Field(default=None, description="Support channels.")
    price: Any = Field(default=None, description="Price.")
    roles: list[Mapped] = Field(default=[], description="Access roles.")
    slaDefaultElement: str = Field(default="", description="Element promises are about by default.")  # noqa: N815
    slaProperties: list[SlaProperty] = Field(default=[], description="Promises to consumers.")  # noqa: N815
    authoritativeDefinitions: Links = Field(default=None, description="Links.")  # noqa: N815
    customProperties: Custom = Field(default=None, description="Keys of your own.")  # noqa: N815
    contractCreatedTs: str = Field(default="", description="When the asset was made.")  # noqa: N815


class WrappedAsset(Shape):
    """An asset inside `asset:`."""

    schema_: str = schema_key()
    asset: Asset = Field(description="The asset.")
