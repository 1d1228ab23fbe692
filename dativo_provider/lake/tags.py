"""Tags of a contract as table properties, under the names of REQUIREMENTS 3.8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dativo_provider.lake.owner import TENANT
from dativo_provider.lake.personal import metrics_properties, personal_columns
from dativo_provider.lake.state import PREFIX
from dativo_provider.model.job import ContractSpec
from dativo_provider.model.stream import Field

__all__ = ["tag_properties"]

_OURS = (PREFIX, "dativo.quarantine.")


def tag_properties(contract: ContractSpec, fields: Sequence[Field]) -> Mapping[str, str]:
    """The contract's own tags, each column's classification, and what keeps personal bounds out of manifests."""
    given = {key: value for key, value in contract.properties.items() if key != TENANT and not key.startswith(_OURS)}
    classified = {
        f"dativo.classification.{field.name}": field.classification for field in fields if field.classification
    }
    return {**classified, **given, **metrics_properties(personal_columns(fields))}
