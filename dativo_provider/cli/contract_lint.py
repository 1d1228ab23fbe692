"""`dativo contract lint`: shape, checks against the contract's own columns, patterns and SQL, each by file and line.

Where an ODCS contract departs from the standard's own JSON Schema it warns: Dativo reads more than others do.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from dativo_provider.cli.checking import new_places, of_contract
from dativo_provider.config import InvalidConfig, Problem
from dativo_provider.config.contract import ContractSource
from dativo_provider.config.contracts import examine_contract
from dativo_provider.config.kinds import kind_of
from dativo_provider.config.promises import not_enforced
from dativo_provider.config.standard import standard_problems
from dativo_provider.config.yamlpos import read
from dativo_provider.vocabulary import ExitCode


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.validate import report

    found = lint(args.paths)
    code = report(found, args)
    return int(ExitCode.FAILED if args.strict and found else code)


def lint(paths: Sequence[Path]) -> list[Problem]:
    found = [problem for path in paths for problem in _of_file(path)]
    return sorted(dict.fromkeys(found), key=lambda each: (each.path, each.line, each.column))


def _of_file(path: Path) -> list[Problem]:
    contract, problems = examine_contract(path)
    found = [*problems, *_kept(contract)]
    found += new_places(of_contract(path), found)
    places = {each.where for each in found}
    return found + [each for each in _departures(path) if each.where not in places]


def _kept(contract: ContractSource | None) -> Iterator[Problem]:
    """Promises for people and other tools: said once."""
    if contract and (kept := not_enforced(contract.promises)):
        line, column = read(contract.path).place(("slaProperties",))
        sentence = f"kept, not enforced: {', '.join(kept)}"
        yield Problem(contract.path, line, column, "slaProperties", sentence, "", "warning")


def _departures(path: Path) -> list[Problem]:
    try:
        document = read(path)
    except InvalidConfig:
        return []
    return standard_problems(document) if kind_of(document.data, str(path)) == "odcs" else []
