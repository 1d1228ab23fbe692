"""The contract files a job names: by path or by name, beside the job, the tenant or the root."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from dativo_provider.config.contract import ContractSource
from dativo_provider.config.contracts import examine_contract
from dativo_provider.config.entries import Entry
from dativo_provider.config.making import Making
from dativo_provider.config.places import SUFFIXES, within_tenant
from dativo_provider.config.problems import nearest
from dativo_provider.config.references import expand
from dativo_provider.config.yamlpos import Key
from dativo_provider.errors import ConfigurationError

__all__ = ["Contracts"]

_FOLDERS = ("", "contracts", "assets")
_ENDINGS = (".odcs.yaml", ".yaml", ".yml", ".odcs.yml")
_CONTAINER = "/app/"  # where the product we succeed kept its files


class Contracts:
    """Reads each contract once; problems go to the job's findings at the key that names the file."""

    def __init__(self, making: Making, variables: Mapping[str, str]) -> None:
        self._making, self._variables = making, variables
        self.job = self._asset(making.job.asset, making.job.asset_path, ())
        self.checks = self._checks()
        if self.job is None and self.checks and self.checks.asset_ref:
            self.job = self._by_path(self.checks.asset_ref, ("data_contract", "contract_path"))

    def for_entry(self, entry: Entry) -> ContractSource | None:
        if entry.asset or entry.asset_path:
            return self._asset(entry.asset, entry.asset_path, entry.keys)
        return self.job

    def _checks(self) -> ContractSource | None:
        """The file `data_contract.contract_path` names: checks only, or a whole contract."""
        block = self._making.job.data_contract
        if block is None or not block.contract_path:
            return None
        found = self._by_path(block.contract_path, ("data_contract", "contract_path"))
        if found and found.form != "checks":
            self.job = self.job or found
            return None
        return found

    def _asset(self, name: str, path: str, keys: tuple[Key, ...]) -> ContractSource | None:
        if path:
            return self._by_path(path, (*keys, "asset_path"), also=name)
        return self._by_name(name, (*keys, "asset")) if name else None

    def _by_path(self, written: str, keys: tuple[Key, ...], also: str = "") -> ContractSource | None:
        making = self._making
        try:
            wanted = expand(written, self._variables, making.tenant.own_variables)
        except ConfigurationError as error:
            making.error(keys, error.message, error.remedy)
            return None
        found = _first(self._paths(wanted))
        if found is None and also:
            found = _first(self._named(also))
        if found is None:
            making.judge(keys, f"there is no file '{written}'", self._hint(wanted))
            return None
        return self._read(found, written, keys)

    def _by_name(self, name: str, keys: tuple[Key, ...]) -> ContractSource | None:
        found = _first(self._named(name))
        if found is None:
            hint = self._hint(name) or "put it into contracts/ beside the job, the tenant or the root"
            self._making.judge(keys, f"there is no contract '{name}'", hint)
            return None
        return self._read(found, name, keys)

    def _paths(self, wanted: str) -> Iterator[Path]:
        bases = list(self._making.place.bases())
        if os.path.isabs(wanted):
            yield Path(os.path.normpath(wanted))
            if wanted.startswith(_CONTAINER):
                yield from (base / wanted.removeprefix(_CONTAINER) for base in bases)
            return
        for base in bases:
            for folder in _FOLDERS:
                yield Path(os.path.normpath(base / folder / wanted))

    def _named(self, name: str) -> Iterator[Path]:
        if os.sep in name or name.startswith("."):
            return
        for base in self._making.place.bases():
            for folder in _FOLDERS[1:]:
                yield from (base / folder / (name + ending) for ending in _ENDINGS)
            yield base / f"{name}.odcs.yaml"  # without the ending it might be a job

    def _read(self, path: Path, written: str, keys: tuple[Key, ...]) -> ContractSource | None:
        making = self._making
        if not within_tenant(path, making.place):
            making.judge(
                keys, f"'{written}' lies outside the folders of this tenant", "move the contract beside the job"
            )
            return None
        found, problems = examine_contract(Path(making.shown(path)))
        making.findings.extend(problems)
        for sentence in found.unsupported if found else ():
            making.cannot(sentence)
        return found

    def _hint(self, wanted: str) -> str:
        """What to write instead: a file's name for a path, a contract's for a name."""
        by_path = Path(wanted).suffix in SUFFIXES
        there = {
            path.name.partition(".")[0]: path.name if by_path else path.name.partition(".")[0]
            for base in self._making.place.bases()
            for folder in _FOLDERS[1:]
            for path in _yaml_files(base / folder)
        }
        near = nearest(Path(wanted).name.partition(".")[0], there)
        if near:
            return f"Did you mean '{there[near]}'?"
        return f"there are: {', '.join(sorted(there.values())[:10])}" if there else ""


def _first(paths: Iterator[Path]) -> Path | None:
    """The first that is a file; what no file system can hold (a name too long) is none."""
    return next((path for path in paths if os.path.isfile(path)), None)


def _yaml_files(folder: Path) -> list[Path]:
    try:
        return [path for path in sorted(folder.iterdir()) if path.suffix in (".yaml", ".yml")]
    except OSError:
        return []
