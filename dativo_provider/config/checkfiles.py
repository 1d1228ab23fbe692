"""Files of checks of other tools that a block names: Soda 4 contracts, SodaCL, suites of Great Expectations.

They are looked up beside the file that names them, in the tenant's folder and in the root, and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dativo_provider.config.layers import Findings, Located
from dativo_provider.config.places import place_of, within_tenant
from dativo_provider.config.problems import InvalidConfig
from dativo_provider.config.suites import Part, expectations_of, soda_checks_of
from dativo_provider.config.yamlpos import Document, Key, read
from dativo_provider.model.checks import Rule

__all__ = ["file_rules", "rules_of"]

_SPLIT: dict[str, Callable[[Any], list[Part] | None]] = {
    "soda": soda_checks_of,
    "great_expectations": expectations_of,
}
_WHAT = {
    "soda": ("file of Soda checks", "it has `checks:` and `columns:`, or `checks for TABLE:`"),
    "great_expectations": ("suite of expectations", "it has `expectations:`"),
}
_FOLDERS = ("", "soda", "suites", "expectations", "gx/expectations", "great_expectations/expectations")
_ENDINGS = ("", ".json", ".yml", ".yaml")


def file_rules(
    named: Any, language: str, at: Located, path: tuple[Key, ...], findings: Findings, *, needed: bool = True
) -> Iterator[Rule]:
    """Every check of the file, or of each file of a list. A name without a file is fine unless it is `needed`."""
    for written in named if isinstance(named, list) else [named]:
        if not isinstance(written, str) or not written:
            findings.error(at, path, f"{written!r} names no file", "write its path")
            continue
        found = _found(written, at.spot(path)[0])
        if found is None:
            if needed:
                hint = "put it beside this file, into the tenant's folder, or below the root"
                findings.error(at, path, f"there is no {_WHAT[language][0]} '{written}'", hint)
            continue
        yield from _read(found, language, at, path, findings)


def _found(written: str, beside: str) -> Path | None:
    place = place_of(beside)
    for base in place.bases():
        for folder in _FOLDERS:
            for ending in _ENDINGS:
                path = Path(os.path.normpath(base / folder / (written + ending)))
                if path != place.path and os.path.isfile(path) and within_tenant(path, place):
                    return Path(place.shown(path))
    return None


def _read(path: Path, language: str, at: Located, keys: tuple[Key, ...], findings: Findings) -> Iterator[Rule]:
    try:
        document = read(path)
    except InvalidConfig as invalid:
        findings.extend(invalid.problems)
        return
    rules = rules_of(document, language)
    if rules is None:
        what, remedy = _WHAT[language]
        findings.error(at, keys, f"'{path}' is no {what}", remedy)
        return
    yield from rules


def rules_of(document: Document, language: str) -> list[Rule] | None:
    """The checks of a document of another tool; None for what is none."""
    parts = _SPLIT[language](document.data)
    if parts is None:
        return None
    return [Rule(language, part.whole(), part.column, document.where(part.path)) for part in parts]
