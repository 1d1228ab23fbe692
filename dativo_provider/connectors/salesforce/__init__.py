"""Salesforce: any object by name, by REST or in bulk. Its spec knows the words; describe and SOQL are this leaf's."""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.connectors.rest import CAPABILITIES

__all__ = ["CONNECTORS"]

CONNECTORS = (
    ConnectorInfo(
        "salesforce", ("source",), "api", "Objects of Salesforce, custom ones included", CAPABILITIES, ("updated_at",),
        reader="dativo_provider.connectors.salesforce.reader:SalesforceReader",
    ),
)  # fmt: skip
