"""policy.yaml: what holds for every contract below its folder that does not say otherwise."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dativo_provider.config.shapes.base import Mapped, Names, Shape, schema_key
from dativo_provider.config.shapes.checks import ViolationHandling

__all__ = ["PolicyBlock", "PolicyFile"]


class PolicyBlock(Shape):
    """The policy."""

    contract_enforcement: Literal["strict", "warn", "disabled"] | None = Field(
        default=None, description="`enforcement_mode` of contracts that name none."
    )
    violation_handling: ViolationHandling | None = Field(
        default=None, description="What violations do where neither contract nor job says so."
    )
    retention_days: int | None = Field(default=None, ge=0, description="Not read: retention stands in contracts.")
    pii_fields: Names = Field(default=[], description="Not read: columns are classified in contracts.")
    classification_rules: list[Mapped] = Field(default=[], description="Not read: columns are classified in contracts.")


class PolicyFile(Shape):
    """Defaults of every contract."""

    schema_: str = schema_key()
    policy: PolicyBlock = Field(description="The policy.")
