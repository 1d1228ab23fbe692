"""`dativo contract import`: an ODCS contract from checks of Soda or Great Expectations, SQL, Parquet, CSV or an asset.

Checks are kept in their own language below `type: custom`, so that none changes its meaning; they run as they stand.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dativo_provider.cli.contract_import_asset import of_asset
from dativo_provider.cli.contracts import contract_of
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Field, Stream

HEADER = "# Written by `dativo contract import`: add descriptions, owners and an id of your own.\n"


def run(args: argparse.Namespace) -> int:
    import yaml

    from dativo_provider.cli.output import say

    if args.format not in _READ:
        raise ConfigurationError(f"import needs --format, not '{args.format}'", remedy=f"use one of {', '.join(_READ)}")
    if len(args.paths) != 1:
        raise ConfigurationError("import reads one file", remedy="name one, and --output for the contract")
    made = _READ[args.format](args.paths[0], args.table)
    text = HEADER + yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=110)
    if args.output is None:
        say(text.rstrip())
        return 0
    if args.output.exists():
        raise ConfigurationError(f"{args.output} is there already", remedy="choose another --output, or remove it")
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(text, encoding="utf-8")
    if not args.quiet:
        say(f"wrote {args.output}")
    return 0


def _of_soda(path: Path, name: str) -> dict[str, Any]:
    """Columns and checks of a Soda 4 contract, or the checks of a SodaCL file."""
    from dativo_provider.config.suites import soda_checks_of
    from dativo_provider.config.types import named_type
    from dativo_provider.config.yamlpos import read

    document = read(path).data
    parts = soda_checks_of(document)
    if parts is None:
        raise ConfigurationError("this is no file of Soda checks", where=str(path), remedy="it has `checks:`")
    columns = [column for column in document.get("columns") or () if isinstance(column, dict)]
    kinds = {str(column.get("name")): str(column.get("data_type") or "") for column in columns}
    kinds |= {part.column: "" for part in parts if part.column and part.column not in kinds}
    fields = [Field(column, type=named_type(kind) or "string") for column, kind in kinds.items()]
    dataset = str(next((part.beside.get("dataset") for part in parts if part.beside.get("dataset")), "") or "")
    made = _contract(path, name or dataset.split("/")[-1], fields)
    for part in parts:
        _add(made, part.column, {"type": "custom", "engine": "soda", "implementation": part.whole()})
    return made


def _of_suite(path: Path, name: str) -> dict[str, Any]:
    """Columns are those the expectations name, as text: a suite says nothing of their types."""
    from dativo_provider.config.suites import expectations_of
    from dativo_provider.config.yamlpos import read

    document = read(path).data
    parts = expectations_of(document)
    if parts is None:
        raise ConfigurationError("this is no suite", where=str(path), remedy="it has `expectations:`")
    bodies = [part.body for part in parts]
    names = dict.fromkeys(name for body in bodies for name in _columns_of(body.get("kwargs") or {}))
    suite = document.get("name") or document.get("expectation_suite_name")
    made = _contract(path, name or str(suite or ""), [Field(column, type="string") for column in names])
    for body in bodies:
        kept = {key: body[key] for key in ("type", "expectation_type", "kwargs", "severity") if body.get(key)}
        column = str((body.get("kwargs") or {}).get("column") or "")
        _add(made, column, {"type": "custom", "engine": "greatExpectations", "implementation": kept})
    return made


def _columns_of(kwargs: dict[str, Any]) -> list[str]:
    listed = [*(kwargs.get("column_list") or ()), *(kwargs.get("column_set") or ())]
    single = [kwargs[key] for key in ("column", "column_A", "column_B") if kwargs.get(key)]
    return [str(name) for name in (*single, *listed)]


def _of_ddl(path: Path, name: str) -> dict[str, Any]:
    """A CREATE TABLE as DuckDB understands it, which takes the types of most dialects."""
    import duckdb

    from dativo_provider.sql.sandbox import connect

    with connect(256, 1) as database:
        try:
            database.execute(path.read_text(encoding="utf-8"))
        except duckdb.Error as error:
            message = str(error).partition("\n")[0]
            raise ConfigurationError(f"this is no CREATE TABLE: {message}", where=str(path)) from None
        tables = [str(row[0]) for row in database.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        if len(tables) != 1:
            raise ConfigurationError(f"it creates {len(tables)} tables", where=str(path), remedy="keep one")
        query = 'SELECT name, type, "notnull", pk FROM pragma_table_info(?) ORDER BY cid'
        columns = database.execute(query, [tables[0]]).fetchall()
        empty = database.sql(f'SELECT * FROM "{tables[0]}"').to_arrow_table().schema
    fields = [_field(empty.field(column), bool(required)) for column, _, required, _ in columns]
    return _contract(path, name or tables[0], fields, [str(column) for column, *_, pk in columns if pk])


def _of_parquet(path: Path, name: str) -> dict[str, Any]:
    import pyarrow.parquet as pq

    return _contract(path, name, [_field(item, not item.nullable) for item in pq.read_schema(path)])


def _of_csv(path: Path, name: str) -> dict[str, Any]:
    import pyarrow.csv as pc

    with pc.open_csv(path) as reader:
        return _contract(path, name, [_field(item, required=False) for item in reader.schema])


def _field(item: Any, required: bool) -> Field:
    from dativo_provider.model.types import from_arrow

    return Field(item.name, from_arrow(item.type), required=required)


def _contract(path: Path, name: str, fields: list[Field], key: list[str] | None = None) -> dict[str, Any]:
    stream = Stream(name or path.name.partition(".")[0], fields=tuple(fields), primary_key=tuple(key or ()))
    return contract_of(stream)


def _add(contract: dict[str, Any], column: str, rule: dict[str, Any]) -> None:
    table = contract["schema"][0]
    found = next((each for each in table["properties"] if each["name"] == column), table)
    found.setdefault("quality", []).append(rule)


_READ: dict[str, Callable[[Path, str], dict[str, Any]]] = {
    "soda": _of_soda,
    "great_expectations": _of_suite,
    "sql": _of_ddl,
    "parquet": _of_parquet,
    "csv": _of_csv,
    "asset": of_asset,
}
