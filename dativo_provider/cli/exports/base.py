"""What writers of other tools' files share. A writer is a module with `write(contract, table)`, named in `WRITERS`.

It gives the text, and what the other tool has no words for: nothing is made up in its place.
"""

from __future__ import annotations

from typing import Any

from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.model.checks import CheckSpec

__all__ = ["Body", "Made", "Text", "as_json", "as_yaml", "checks_of"]

Made = dict[str, Any]
Body = tuple[str, Made] | None
Text = tuple[str, list[str]]


def checks_of(contract: ContractSource, table: TableContract) -> list[CheckSpec]:
    """Compiled, without those of the columns' types and those that are documentation."""
    from dativo_provider.quality.frontends.compile import compile_rules

    found = compile_rules((*table.rules, *contract.rules), table.fields)
    return [check for check in found if check.kind not in ("type", "text")]


def as_json(made: Made) -> str:
    import json

    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def as_yaml(made: Made) -> str:
    import yaml

    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=110)
