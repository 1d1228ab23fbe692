"""Contract files of every form, read once per process and content."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from dativo_provider.config.assets import read_asset, read_checks
from dativo_provider.config.contract import ContractSource
from dativo_provider.config.kinds import Kind, kind_of
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.odcs import read_odcs
from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.yamlpos import Document, read

__all__ = ["contract_of", "examine_contract", "examined", "read_contract"]

Examined = tuple[ContractSource | None, tuple[Problem, ...]]
_FORMS: dict[Kind, Callable[[Document, Findings], ContractSource | None]] = {
    "odcs": read_odcs,
    "asset": read_asset,
    "checks": read_checks,
}


def read_contract(path: Path) -> ContractSource:
    """Raises `InvalidConfig`; warnings are in `problems`. A file that did not change is not read again."""
    return _sound(*examine_contract(path))


def contract_of(doc: Document) -> ContractSource:
    """As `read_contract`, of a document."""
    return _sound(*examined(doc))


def _sound(found: ContractSource | None, problems: tuple[Problem, ...]) -> ContractSource:
    if found is None or any(problem.severity == "error" for problem in problems):
        raise InvalidConfig(problems)
    return found


def examine_contract(path: Path) -> Examined:
    """As `read_contract`, with nothing raised: of a contract with errors, what could be read all the same."""
    try:
        stat = path.stat()
    except OSError:
        return _examined(str(path), 0, 0)
    return _examined(str(path), stat.st_mtime_ns, stat.st_size)


def _examined(path: str, mtime: int, size: int) -> Examined:
    found = _cached(path, mtime, size)
    return _read(path) if _reads_more(*found, path) else found


@lru_cache(maxsize=4096)
def _cached(path: str, _mtime: int, _size: int) -> Examined:
    return _read(path)


def _read(path: str) -> Examined:
    try:
        return examined(read(path))
    except InvalidConfig as invalid:
        return None, invalid.problems


def _reads_more(found: ContractSource | None, problems: Sequence[Problem], path: str) -> bool:
    """Whether it holds checks of other files, which may have changed since."""
    rules = (*found.rules, *(rule for table in found.tables for rule in table.rules)) if found else ()
    elsewhere = (not rule.declared_in.startswith(f"{path}:") for rule in rules)
    return any(problem.path != path for problem in problems) or any(elsewhere)


def examined(doc: Document) -> Examined:
    """What could be read of the contract, and every problem of the file."""
    findings = Findings()
    kind = kind_of(doc.data, doc.path)
    reader = _FORMS.get(kind)
    found = reader(doc, findings) if reader else None
    if reader is None:
        what = "" if kind in ("unknown", "other") else f" but a {kind} file"
        remedy = "a contract has `schema:` (ODCS), `asset:` or `data_contract:`"
        findings.error(Within(doc), (), f"this is no contract{what}", remedy)
    problems = tuple(sorted(findings.problems, key=_place))
    return (replace(found, problems=problems) if found else None), problems


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column
