"""A contract as a job sees it, whichever of the forms it was written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dativo_provider.config.problems import Problem
from dativo_provider.config.shapes.checks import Notification, Sla
from dativo_provider.config.shapes.contract import SlaProperty
from dativo_provider.model.checks import Rule
from dativo_provider.model.handling import Handling
from dativo_provider.model.job import PartitionSpec
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.model.stream import Field
from dativo_provider.vocabulary import OnViolation

__all__ = ["ContractSource", "Policy", "TableContract"]


@dataclass(frozen=True)
class TableContract:
    """One schema object: the columns of a table and the rules over them."""

    name: str
    physical_name: str = ""
    description: str = ""
    fields: tuple[Field, ...] = ()
    primary_key: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    partitioning: tuple[PartitionSpec, ...] = ()
    schema_policies: SchemaPolicies = SchemaPolicies()
    dropped: tuple[str, ...] = ()
    declared_in: str = ""


@dataclass(frozen=True)
class Policy:
    """What a `data_contract:` block says beside its checks."""

    enforcement: Literal["strict", "warn", "disabled"] | None = None
    on_schema_violation: OnViolation | None = None
    keep_original: bool = False
    quarantine_days: int | None = None  # how long quarantined rows are kept
    handling: Handling = Handling()
    notification: Notification | None = None
    sla: Sla | None = None


@dataclass(frozen=True)
class ContractSource:
    """A contract file. `rules` hold for every table of it; `target` is the older form's `target:` block."""

    form: Literal["odcs", "asset", "checks"]
    path: str
    name: str
    version: str
    id: str = ""
    status: str = "active"
    description: str = ""
    owner: str = ""
    domain: str = ""
    data_product: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[TableContract, ...] = ()
    rules: tuple[Rule, ...] = ()
    policy: Policy = Policy()
    schema_policies: SchemaPolicies = SchemaPolicies()  # of a file of checks
    target: Mapping[str, Any] = field(default_factory=dict)
    asset_ref: str = ""
    promises: tuple[SlaProperty, ...] = ()  # as written: most are for people and other tools
    unsupported: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
