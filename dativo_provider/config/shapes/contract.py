"""A data contract in ODCS 3.0, 3.1 or 3.2 (https://bitol-io.github.io/open-data-contract-standard/).

Every official key is accepted; what ingestion does not read is kept as it is.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from dativo_provider.config.shapes.base import Mapped, Names, Regex, Shape, Timezone, Wrong, schema_key
from dativo_provider.config.shapes.checks import ContractBlock

__all__ = [
    "OPERATORS",
    "Contract",
    "CustomProperty",
    "Options",
    "Property",
    "QualityRule",
    "SchemaObject",
    "SlaProperty",
]

OPERATORS = (
    "mustBe", "mustNotBe", "mustBeGreaterThan", "mustBeGreaterOrEqualTo", "mustBeLessThan", "mustBeLessOrEqualTo",
    "mustBeBetween", "mustNotBeBetween",
)  # fmt: skip
_API_VERSION = re.compile(r"v?(?:2\.2\.\d+|3\.\d+\.\d+)")
Tags = list[str] | None
Links = list[Mapped] | None


def _api_version(value: str) -> str:
    if not _API_VERSION.fullmatch(value):
        raise Wrong(f"'{value}' is not a version of ODCS", "use v3.1.0; 3.0.x, 3.1.x and 3.2.x are read")
    return value


class CustomProperty(Shape):
    """A key and value of your own."""

    id: str | None = Field(default=None, description="Stable id.")
    property: str = Field(description="Name; `dativo.…` names become table properties.")
    value: Any = Field(default=None, description="Value.")
    description: str | None = Field(default=None, description="For people.")
    vendor: str | None = Field(default=None, description="Tool that reads it.")


Custom = list[CustomProperty] | None


class QualityRule(Shape):
    """One quality rule."""

    id: str | None = Field(default=None, description="Stable id.")
    name: str | None = Field(default=None, description="Name in reports.")
    description: str | None = Field(default=None, description="For people.")
    type: Literal["text", "library", "sql", "custom"] | None = Field(default=None, description="Kind of rule.")
    metric: Literal[
        "nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount", "freshness"
    ] | None = Field(default=None, description="What a `library` rule counts.")  # fmt: skip
    rule: str | None = Field(default=None, description="ODCS 3.0's name of `metric`.")
    arguments: Mapped | None = Field(default=None, description="Arguments of the metric: `validValues`, `pattern`, …")
    validValues: list[Any] | None = Field(default=None, description="ODCS 3.0: values of `rule: validValues`.")  # noqa: N815
    query: str | None = Field(
        default=None, description="SQL of a `sql` rule; `{object}` and `{property}` are replaced."
    )
    engine: str | None = Field(default=None, description="Engine of a `custom` rule.")
    implementation: Any = Field(default=None, description="What the engine runs: text or a mapping.")
    mustBe: Any = Field(default=None, description="The result must equal this.")  # noqa: N815
    mustNotBe: Any = Field(default=None, description="The result must differ from this.")  # noqa: N815
    mustBeGreaterThan: float | None = Field(default=None, description="The result must be greater.")  # noqa: N815
    mustBeGreaterOrEqualTo: float | None = Field(default=None, description="… greater or equal.")  # noqa: N815
    mustBeLessThan: float | None = Field(default=None, description="… less.")  # noqa: N815
    mustBeLessOrEqualTo: float | None = Field(default=None, description="… less or equal.")  # noqa: N815
    mustBeBetween: Annotated[list[float], Field(min_length=2, max_length=2)] | None = Field(  # noqa: N815
        default=None, description="… between the two, both included."
    )
    mustNotBeBetween: Annotated[list[float], Field(min_length=2, max_length=2)] | None = Field(  # noqa: N815
        default=None, description="… outside the two."
    )
    unit: str | None = Field(default=None, description="`rows` or `percent`; of `freshness` `hours`, `days`, …")
    severity: str | None = Field(default=None, description="`error`, `warning` or `info`.")
    dimension: Literal[
        "accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness", "uniqueness"
    ] | None = Field(default=None, description="Quality dimension.")  # fmt: skip
    businessImpact: str | None = Field(default=None, description="For people.")  # noqa: N815
    method: str | None = Field(default=None, description="For people.")
    schedule: str | None = Field(default=None, description="Not read; rules run with every load.")
    scheduler: str | None = Field(default=None, description="Not read.")
    tags: Tags = Field(default=None, description="Tags.")
    customProperties: Custom = Field(default=None, description="Keys of your own.")  # noqa: N815
    authoritativeDefinitions: Links = Field(default=None, description="Links.")  # noqa: N815


class Options(Shape):
    """Limits of a logical type."""

    minimum: Any = Field(default=None, description="Least value.")
    maximum: Any = Field(default=None, description="Greatest value.")
    exclusiveMinimum: Any = Field(default=None, description="Bound below all values; true makes `minimum` one.")  # noqa: N815
    exclusiveMaximum: Any = Field(default=None, description="Bound above all values; true makes `maximum` one.")  # noqa: N815
    multipleOf: float | None = Field(default=None, gt=0, description="Values are multiples of this.")  # noqa: N815
    minLength: int | None = Field(default=None, ge=0, description="Least length.")  # noqa: N815
    maxLength: int | None = Field(default=None, ge=0, description="Greatest length.")  # noqa: N815
    pattern: Regex | None = Field(default=None, description="Regular expression that values must match.")
    format: str | None = Field(default=None, description="`email`, `uuid`, `yyyy-MM-dd`, `i32`, `f32`, …")
    timezone: bool | None = Field(default=None, description="false: a timestamp without time zone.")
    defaultTimezone: Timezone | None = Field(default=None, description="Zone of values that name none.")  # noqa: N815
    minItems: int | None = Field(default=None, ge=0, description="Least number of items.")  # noqa: N815
    maxItems: int | None = Field(default=None, ge=0, description="Greatest number of items.")  # noqa: N815
    uniqueItems: bool | None = Field(default=None, description="No item twice.")  # noqa: N815
    minProperties: int | None = Field(default=None, ge=0, description="Least number of properties.")  # noqa: N815
    maxProperties: int | None = Field(default=None, ge=0, description="Greatest number of properties.")  # noqa: N815
    required: list[str] | None = Field(default=None, description="Properties that must be there.")
    dimensions: int | None = Field(default=None, ge=1, description="Length of a vector.")
    elementType: str | None = Field(default=None, description="Type of a vector's elements.")  # noqa: N815
    distanceMetric: str | None = Field(default=None, description="Distance of vectors.")  # noqa: N815
    embeddingModel: str | None = Field(default=None, description="Model that made the vector.")  # noqa: N815
    embeddingModelVersion: str | None = Field(default=None, description="Its version.")  # noqa: N815
    normalized: bool | None = Field(default=None, description="Vectors of length 1.")


class _Element(Shape):
    id: str | None = Field(default=None, description="Stable id.")
    name: str | None = Field(default=None, description="Name.")
    physicalName: str | None = Field(default=None, description="Name in the source system; not read.")  # noqa: N815
    physicalType: str | None = Field(default=None, description="Type in the source system; refines the logical type.")  # noqa: N815
    description: str | None = Field(default=None, description="For people; becomes the column's comment.")
    businessName: str | None = Field(default=None, description="For people.")  # noqa: N815
    deprecated: bool | None = Field(default=None, description="Not for new uses.")
    synonyms: list[Any] | None = Field(default=None, description="Other names.")
    authoritativeDefinitions: Links = Field(default=None, description="Links.")  # noqa: N815
    tags: Tags = Field(default=None, description="Tags.")
    customProperties: Custom = Field(default=None, description="Keys of your own.")  # noqa: N815
    quality: list[QualityRule] | None = Field(default=None, description="Quality rules.")
    relationships: list[Mapped] | None = Field(default=None, description="Foreign keys.")


class PropertyBase(_Element):
    """What columns and items have in common."""

    logicalTypeOptions: Options | None = Field(default=None, description="Limits of the type.")  # noqa: N815
    primaryKey: bool | None = Field(default=None, description="Part of the primary key.")  # noqa: N815
    primaryKeyPosition: int | None = Field(default=None, description="Position in the primary key, from 1.")  # noqa: N815
    required: bool | None = Field(default=None, description="NULL is a violation.")
    unique: bool | None = Field(default=None, description="No value twice.")
    semanticType: Literal["column", "measure", "dimension"] | None = Field(  # noqa: N815
        default=None, description="A `measure` is no column and is not loaded."
    )
    partitioned: bool | None = Field(default=None, description="The table is partitioned by it.")
    partitionKeyPosition: int | None = Field(default=None, description="Position among the partition keys.")  # noqa: N815
    classification: str | None = Field(default=None, description="`PII`, `confidential`, `public`, …")
    encryptedName: str | None = Field(default=None, description="Column with the encrypted value.")  # noqa: N815
    transformSourceObjects: list[str] | None = Field(default=None, description="For people.")  # noqa: N815
    transformLogic: str | None = Field(default=None, description="For people.")  # noqa: N815
    transformDescription: str | None = Field(default=None, description="For people.")  # noqa: N815
    examples: list[Any] | None = Field(default=None, description="Sample values.")
    enum: list[Any] | None = Field(default=None, description="Allowed values (ODCS 3.2).")
    criticalDataElement: bool | None = Field(default=None, description="For people.")  # noqa: N815
    properties: list[Property] | None = Field(default=None, description="Parts of an `object`.")
    items: Property | None = Field(default=None, description="Elements of an `array`.")
    map: MapParts | None = Field(default=None, description="`key` and `value` of a `map` (ODCS 3.2).")


class Property(PropertyBase):
    """A column, or a part of one."""

    logicalType: Literal[  # noqa: N815
        "string", "date", "timestamp", "time", "number", "integer", "object", "array", "boolean", "map", "vector"
    ] | None = Field(default=None, description="Type; see the table of types.")  # fmt: skip


class MapParts(Shape):
    """Key and value of a map."""

    key: Property = Field(description="Type of the keys.")
    value: Property = Field(description="Type of the values.")


class SchemaObject(_Element):
    """A table."""

    name: str = Field(min_length=1, description="Name of the table.")
    logicalType: Literal["object"] | None = Field(default=None, description="Always `object`.")  # noqa: N815
    properties: list[Property] | None = Field(default=None, description="Columns, in order.")
    dataGranularityDescription: str | None = Field(default=None, description="For people.")  # noqa: N815
    context: Any = Field(default=None, description="ODCS 3.2: context for people and agents.")


class SlaProperty(Shape):
    """One promise to consumers."""

    id: str | None = Field(default=None, description="Stable id.")
    property: str = Field(
        description="`latency` or `freshness` becomes a check, `availability` is watched, `retention` tags the table."
    )
    value: Any = Field(default=None, description="Value.")
    valueExt: Any = Field(default=None, description="Second value.")  # noqa: N815
    unit: str | None = Field(default=None, description="`h`, `d`, `y`, …")
    element: str | None = Field(default=None, description="`table.column` it is about.")
    driver: str | None = Field(default=None, description="For people.")
    description: str | None = Field(default=None, description="For people.")
    scheduler: str | None = Field(default=None, description="Not read.")
    schedule: str | None = Field(default=None, description="Not read.")
    customProperties: Custom = Field(default=None, description="Keys of your own.")  # noqa: N815
    authoritativeDefinitions: Links = Field(default=None, description="Links.")  # noqa: N815


class Contract(Shape):
    """A data contract (ODCS)."""

    schema_url: str = schema_key()
    apiVersion: Annotated[str, AfterValidator(_api_version)] = Field(  # noqa: N815
        default="v3.1.0", description="Version of ODCS the file is written in."
    )
    kind: Literal["DataContract"] = Field(default="DataContract", description="Always `DataContract`.")
    id: str | None = Field(default=None, description="Unique id of the contract.")
    name: str | None = Field(default=None, description="Name of the contract.")
    version: str = Field(min_length=1, description="Version of this contract; kept with every run.")
    status: str | None = Field(default=None, description="`proposed`, `draft`, `active`, `deprecated`, `retired`.")
    tenant: str | None = Field(default=None, description="For people; not the tenant of the job.")
    domain: str | None = Field(default=None, description="Data domain; part of the namespace where the tenant says so.")
    dataProduct: str | None = Field(default=None, description="Data product.")  # noqa: N815
    description: Any = Field(default=None, description="`purpose`, `usage`, `limitations`.")
    tags: Tags = Field(default=None, description="Tags.")
    servers: list[Mapped] | None = Field(default=None, description="Where the data is; not read.")
    schema_: list[SchemaObject] | None = Field(default=None, alias="schema", description="Tables and their columns.")
    support: Any = Field(default=None, description="Support channels.")
    price: Any = Field(default=None, description="Price.")
    team: Any = Field(default=None, description="People; the one with the role Owner becomes the owner.")
    roles: list[Mapped] | None = Field(default=None, description="Access roles.")
    slaDefaultElement: str | None = Field(default=None, description="Element promises are about by default.")  # noqa: N815
    slaProperties: list[SlaProperty] | None = Field(default=None, description="Promises to consumers.")  # noqa: N815
    authoritativeDefinitions: Links = Field(default=None, description="Links.")  # noqa: N815
    customProperties: Custom = Field(default=None, description="Keys of your own.")  # noqa: N815
    contractCreatedTs: str | None = Field(default=None, description="When the contract was made.")  # noqa: N815
    context: Any = Field(default=None, description="ODCS 3.2: context for people and agents.")
    verifiedStatements: Any = Field(default=None, description="ODCS 3.2: verified statements.")  # noqa: N815


class ContractFile(Shape):
    """A file of checks for an asset described elsewhere: `data_contract:`."""

    schema_: str = schema_key()
    data_contract: ContractFileBody = Field(description="The contract.")


class ContractFileBody(ContractBlock):
    """Checks, promises and what violations do."""

    status: Literal["active", "deprecated", "sunset", "draft", "proposed", "retired"] = Field(
        default="active", description="State of the contract."
    )
    asset_ref: str = Field(default="", description="The asset or contract file with the columns.")
    tags: Names = Field(default=[], description="Tags.")
    classification: Names = Field(default=[], description="Classes of the table; the first is its default.")
    documentation_url: str = Field(default="", description="For people.")
    description: str = Field(default="", description="For people.")


for _shape in (PropertyBase, Property, MapParts, SchemaObject, Contract, ContractFile):
    _shape.model_rebuild()
