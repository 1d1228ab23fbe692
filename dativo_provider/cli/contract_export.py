"""`dativo contract export`: checks for Soda 4 or Great Expectations, columns as JSON Schema or SQL, a file of checks.

A check the other tool has no words for is named on stderr, and nothing is made up in its place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any

from dativo_provider.cli import contract_export_checks as checks_out
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.config.contracts import read_contract
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Field


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import say

    if args.format not in _WRITE:
        raise ConfigurationError(
            f"export needs --format, not '{args.format}'", remedy=f"use one of {', '.join(_WRITE)}"
        )
    if len(args.paths) != 1:
        raise ConfigurationError("export reads one contract", remedy="name one file")
    contract = read_contract(args.paths[0])
    text, left = _WRITE[args.format](contract, _table(contract, args.table))
    for name in left:
        print(f"not exported, {args.format} has no words for it: {name}", file=sys.stderr)
    if args.output is None:
        say(text.rstrip())
        return 0
    if args.output.exists():
        raise ConfigurationError(f"{args.output} is there already", remedy="choose another --output, or remove it")
    args.output.write_text(text, encoding="utf-8")
    if not args.quiet:
        say(f"wrote {args.output}")
    return 0


def _table(contract: ContractSource, name: str) -> TableContract:
    names = [table.name for table in contract.tables]
    if len(names) > 1 and not name:
        raise ConfigurationError(f"the contract has {len(names)} tables", remedy=f"--table, one of {', '.join(names)}")
    found = [table for table in contract.tables if name in ("", table.name)]
    if not found:
        raise ConfigurationError(f"the contract has no table '{name}'", remedy=f"it has {', '.join(names) or 'none'}")
    return found[0]


Text = tuple[str, list[str]]


def _soda(contract: ContractSource, table: TableContract) -> Text:
    import yaml

    made, left = checks_out.soda(contract, table)
    return yaml.safe_dump(made, sort_keys=False, allow_unicode=True), left


def _suite(contract: ContractSource, table: TableContract) -> Text:
    made, left = checks_out.suite(contract, table)
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n", left


def _checks(contract: ContractSource, table: TableContract) -> Text:
    import yaml

    made, left = checks_out.soda(contract, table)
    block = {
        "name": contract.name, "version": contract.version, "status": contract.status, "asset_ref": contract.path,
        **({"owner": contract.owner} if contract.owner else {}),
        "quality_checks": {"soda": {key: made[key] for key in ("dataset", "columns", "checks") if made.get(key)}},
    }  # fmt: skip
    return yaml.safe_dump({"data_contract": block}, sort_keys=False, allow_unicode=True), left


def _json_schema(_: ContractSource, table: TableContract) -> Text:
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": table.name,
        **({"description": table.description} if table.description else {}),
        "type": "object",
        "properties": {field.name: _as_json(field) for field in table.fields},
        "required": [field.name for field in table.fields if field.required],
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n", []


def _as_json(field: Field) -> dict[str, Any]:
    kind = field.type.split("(")[0].split("<")[0]
    made = dict(_JSON.get(kind, {"type": "string"}))
    if not field.required:
        made["type"] = [made["type"], "null"]
    return made | ({"description": field.description} if field.description else {})


_JSON: dict[str, dict[str, Any]] = {
    "boolean": {"type": "boolean"}, "int": {"type": "integer"}, "long": {"type": "integer"},
    "float": {"type": "number"}, "double": {"type": "number"}, "decimal": {"type": "number"},
    "date": {"type": "string", "format": "date"}, "time": {"type": "string", "format": "time"},
    "timestamp": {"type": "string"}, "timestamptz": {"type": "string", "format": "date-time"},
    "uuid": {"type": "string", "format": "uuid"}, "list": {"type": "array"}, "map": {"type": "object"},
    "struct": {"type": "object"},
}  # fmt: skip


def _ddl(_: ContractSource, table: TableContract) -> Text:
    from dativo_provider.sql.names import quoted

    lines, left = [], []
    for field in table.fields:
        kind = _SQL.get(field.type.split("(")[0])
        if kind is None:
            left.append(f"column {field.name}, which is {field.type}")
            continue
        kind += field.type[field.type.find("(") :] if "(" in field.type else ""
        lines.append(f"  {quoted(field.name)} {kind}{' NOT NULL' if field.required else ''}")
    if table.primary_key:
        lines.append(f"  PRIMARY KEY ({', '.join(map(quoted, table.primary_key))})")
    return f"CREATE TABLE {quoted(table.name)} (\n" + ",\n".join(lines) + "\n);\n", left


_SQL = {
    "boolean": "BOOLEAN", "int": "INTEGER", "long": "BIGINT", "float": "REAL", "double": "DOUBLE PRECISION",
    "decimal": "DECIMAL", "date": "DATE", "time": "TIME", "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE", "string": "VARCHAR", "uuid": "UUID",
}  # fmt: skip

_WRITE: dict[str, Callable[[ContractSource, TableContract], Text]] = {
    "soda": _soda,
    "great_expectations": _suite,
    "checks": _checks,
    "json-schema": _json_schema,
    "sql": _ddl,
}
