"""`dativo contract lint`: shape, checks against the contract's own columns, and patterns, each by file and line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dativo_provider.config import InvalidConfig, Problem
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.config.contracts import read_contract
from dativo_provider.errors import ConfigurationError

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))?$")


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.validate import report

    return int(report(lint(args.paths), args))


def lint(paths: Sequence[Path]) -> list[Problem]:
    found = [problem for path in paths for problem in _of_file(path)]
    return sorted(dict.fromkeys(found), key=lambda each: (each.path, each.line, each.column))


def _of_file(path: Path) -> Iterator[Problem]:
    try:
        contract = read_contract(path)
    except InvalidConfig as invalid:
        yield from invalid.problems
        return
    yield from contract.problems
    for table in contract.tables or (TableContract(contract.name),):
        yield from _of_table(contract, table)


def _of_table(contract: ContractSource, table: TableContract) -> Iterator[Problem]:
    """Rule by rule, so that one that is wrong hides no other."""
    from dativo_provider.quality.frontends.compile import advice, compile_rules
    from dativo_provider.quality.probes import lint_patterns

    for rule in (*table.rules, *contract.rules):
        try:
            checks = [check for check in compile_rules([rule], table.fields) if check.declared_in]
        except ConfigurationError as error:
            yield _problem(error.where or contract.path, error.message, error.remedy)
            continue
        for refused in lint_patterns(checks):
            yield _problem(refused.where, refused.message, refused.remedy)
        for where, sentence in advice(checks):
            yield _problem(where, sentence, "", warning=True)


def _problem(where: str, message: str, remedy: str, *, warning: bool = False) -> Problem:
    match = _PLACE.match(where)
    path, line, column = (match["path"], int(match["line"]), int(match["column"] or 1)) if match else (where, 1, 1)
    return Problem(path, line, column, "", message, remedy, "warning" if warning else "error")
