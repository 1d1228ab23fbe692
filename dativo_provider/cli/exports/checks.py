"""A `data_contract:` file of ours, with the checks in the words of Soda."""

from __future__ import annotations

from dativo_provider.cli.exports import soda
from dativo_provider.cli.exports.base import Text, as_yaml
from dativo_provider.config.contract import ContractSource, TableContract

__all__ = ["write"]


def write(contract: ContractSource, table: TableContract) -> Text:
    made, left = soda.made(contract, table)
    block = {
        "name": contract.name, "version": contract.version, "status": contract.status, "asset_ref": contract.path,
        **({"owner": contract.owner} if contract.owner else {}),
        "quality_checks": {"soda": {key: made[key] for key in ("dataset", "columns", "checks") if made.get(key)}},
    }  # fmt: skip
    return as_yaml({"data_contract": block}), left
