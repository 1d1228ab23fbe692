"""Contract files of every form, read once per process and content."""

from __future__ import annotations

from collections.abc import Callable
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

__all__ = ["contract_of", "read_contract"]

_FORMS: dict[Kind, Callable[[Document, Findings], ContractSource | None]] = {
    "odcs": read_odcs,
    "asset": read_asset,
    "checks": read_checks,
}


def read_contract(path: Path) -> ContractSource:
    """Raises `InvalidConfig`; warnings are in `problems`. A file that did not change is not read again."""
    try:
        stat = path.stat()
    except OSError:
        return _read(str(path), 0, 0)
    return _read(str(path), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4096)
def _cached(path: str, _mtime: int, _size: int) -> ContractSource | InvalidConfig:
    try:
        return contract_of(read(path))
    except InvalidConfig as invalid:
        return invalid


def _read(path: str, mtime: int, size: int) -> ContractSource:
    found = _cached(path, mtime, size)
    if _reads_more(found, path):
        return contract_of(read(path))
    if isinstance(found, InvalidConfig):
        raise InvalidConfig(found.problems)
    return found


def _reads_more(found: ContractSource | InvalidConfig, path: str) -> bool:
    """Whether it holds checks of other files, which may have changed since."""
    if isinstance(found, InvalidConfig):
        return any(problem.path != path for problem in found.problems)
    rules = (*found.rules, *(rule for table in found.tables for rule in table.rules))
    return any(not rule.declared_in.startswith(f"{path}:") for rule in rules)


def contract_of(doc: Document) -> ContractSource:
    """Raises `InvalidConfig` with every problem of the file."""
    findings = Findings()
    kind = kind_of(doc.data, doc.path)
    reader = _FORMS.get(kind)
    if reader is None:
        what = "" if kind in ("unknown", "other") else f" but a {kind} file"
        findings.error(
            Within(doc),
            (),
            f"this is no contract{what}",
            "a contract has `schema:` (ODCS), `asset:` or `data_contract:`",
        )
        raise InvalidConfig(findings.problems)
    found = reader(doc, findings)
    if found is None or findings.failed:
        raise InvalidConfig(sorted(findings.problems, key=_place))
    return replace(found, problems=tuple(sorted(findings.problems, key=_place)))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column
