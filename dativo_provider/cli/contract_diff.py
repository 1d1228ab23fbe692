"""`dativo contract diff OLD NEW`: every change, whether readers may break, and what the version should say of it.

Readers break where what they rely on is gone or weaker: a table or column, a type that is not what it was or wider, a
value that is never NULL, the key, a check of severity error or a promise; or where a column becomes personal. What
comes or gets stricter is minor; words are a patch.
Ends with 2 when the newer version's number says less than its changes.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from dativo_provider.cli.contract_weaker import weaker_check, weaker_promise
from dativo_provider.config.contract import ContractSource, TableContract
from dativo_provider.config.contracts import read_contract
from dativo_provider.config.shapes.contract import SlaProperty
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec, Rule
from dativo_provider.model.personal import is_personal
from dativo_provider.model.stream import Field
from dativo_provider.vocabulary import ExitCode

Level = Literal["patch", "minor", "major"]
LEVELS: tuple[Level, ...] = ("patch", "minor", "major")


@dataclass(frozen=True)
class Change:
    level: Level
    element: str
    what: str


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import print_json, say

    if len(args.paths) != 2:
        raise ConfigurationError("diff compares two files", remedy="name the older one, then the newer")
    old, new = (read_contract(path) for path in args.paths)
    found = changes(old, new)
    needed, said = _needed(found), _said(old.version, new.version)
    enough = not found or said is None or LEVELS.index(said) >= LEVELS.index(needed)
    if args.json:
        listed = [asdict(change) for change in found]
        print_json({"changes": listed, "needs": needed if found else "", "enough": enough})
    elif not args.quiet:
        for change in found:
            say(f"{'breaking' if change.level == 'major' else change.level:<9} {change.element}: {change.what}")
        say(_summary(found, needed, old.version, new.version, enough=enough))
    return int(ExitCode.OK if enough else ExitCode.FAILED)


def changes(old: ContractSource, new: ContractSource) -> list[Change]:
    """In the order of the tables; the gravest of a table first."""
    found = list(_of_named(_tables(old), _tables(new), "table", _of_table))
    found += _of_checks(old.rules, new.rules, (), (), new.name)
    found += [*_of_promises(old, new), *_of_words(old, new)]
    return sorted(found, key=lambda change: -LEVELS.index(change.level))


def _tables(contract: ContractSource) -> dict[str, TableContract]:
    """Without the checks that promises make: those are compared as promises."""
    made = {f"sla_{promise.property.lower()}" for promise in contract.promises}
    return {
        table.name: replace(table, rules=tuple(rule for rule in table.rules if rule.body.get("name") not in made))
        for table in contract.tables
    }


def _of_named(
    old: Mapping[str, Any], new: Mapping[str, Any], noun: str, inner: Any, prefix: str = ""
) -> Iterator[Change]:
    for name in old:
        if name not in new:
            yield Change("major", prefix + name, f"the {noun} is gone")
        else:
            yield from inner(old[name], new[name], prefix + name)
    for name in new:
        if name not in old:
            yield Change("minor", prefix + name, f"the {noun} is new")


def _of_table(old: TableContract, new: TableContract, name: str) -> Iterator[Change]:
    had, has = ({field.name: field for field in table.fields} for table in (old, new))
    yield from _of_named(had, has, "column", _of_field, f"{name}.")
    if old.primary_key != new.primary_key:
        was, now = (", ".join(key) or "none" for key in (old.primary_key, new.primary_key))
        yield Change("major", name, f"the key was {was} and is {now}")
    yield from _of_checks(old.rules, new.rules, old.fields, new.fields, name)
    if old.description != new.description:
        yield Change("patch", name, "the description changed")


def _of_field(old: Field, new: Field, name: str) -> Iterator[Change]:
    from dativo_provider.model.widening import wider

    if old.type != new.type:
        level: Level = "minor" if wider(old.type, new.type) == new.type else "major"
        yield Change(level, name, f"the type was {old.type} and is {new.type}")
    if old.required != new.required:
        yield Change("minor" if new.required else "major", name, f"it {'must not' if new.required else 'may'} be NULL")
    if old.classification != new.classification:
        level = "major" if is_personal(new.classification) and not is_personal(old.classification) else "minor"
        yield Change(level, name, f"it was classified '{old.classification}' and is '{new.classification}'")
    if old.description != new.description:
        yield Change("patch", name, "the description changed")


def _of_checks(
    old: Sequence[Rule], new: Sequence[Rule], had: Sequence[Field], has: Sequence[Field], name: str
) -> Iterator[Change]:
    before, after = _checks(old, had), _checks(new, has)
    for check in sorted(before.keys() | after.keys()):
        if check not in after:
            yield Change(_gone(before[check]), name, f"the check '{check}' is gone")
        elif check not in before:
            yield Change("minor", name, f"the check '{check}' is new")
        elif before[check] != after[check]:
            yield _changed(before[check], after[check], name)


def _gone(check: CheckSpec) -> Level:
    return "major" if check.severity == "error" and check.kind != "text" else "minor"


def _changed(old: CheckSpec, new: CheckSpec, name: str) -> Change:
    weaker = weaker_check(old, new)
    level = _gone(old) if weaker else "minor"
    return Change(level, name, f"the check '{old.id}' changed{': ' if weaker else ''}{', '.join(weaker)}")


def _checks(rules: Sequence[Rule], fields: Sequence[Field]) -> dict[str, CheckSpec]:
    from dativo_provider.quality.frontends.compile import compile_rules

    found = compile_rules(rules, fields)
    return {check.id: replace(check, declared_in="", description="") for check in found if check.declared_in}


def _of_promises(old: ContractSource, new: ContractSource) -> Iterator[Change]:
    had, has = ({(each.property, each.element): each for each in contract.promises} for contract in (old, new))
    for key in had:
        what = f"the promise of {key[0]}"
        if key not in has:
            yield Change("major", new.name, f"{what} is gone")
        elif (was := _said_of(had[key])) != (now := _said_of(has[key])):
            level: Level = "major" if weaker_promise(had[key], has[key]) else "minor"
            yield Change(level, new.name, f"{what} was {was} and is {now}")
    for key in has.keys() - had.keys():
        yield Change("minor", new.name, f"the promise of {key[0]} is new")


def _said_of(promise: SlaProperty) -> str:
    parts = (promise.value, promise.valueExt, promise.unit, promise.driver)
    return " ".join(str(part) for part in parts if part is not None)


def _of_words(old: ContractSource, new: ContractSource) -> Iterator[Change]:
    for word in ("status", "owner", "description"):
        was, now = getattr(old, word), getattr(new, word)
        if was != now:
            yield Change("patch", new.name, f"the {word} changed" if word == "description" else f"the {word} is {now}")


def _needed(found: Sequence[Change]) -> Level:
    return max((change.level for change in found), key=LEVELS.index, default="patch")


def _said(old: str, new: str) -> Level | None:
    """By how much the number grew; None where it is no `1.2.3`. Below 1.0 a minor step may break.

    One that did not grow says no more than a patch would.
    """
    was, now = (_numbers(text) for text in (old, new))
    if was is None or now is None:
        return None
    if now[0] > was[0]:
        return "major"
    if now[:2] > was[:2]:
        return "major" if now[0] == 0 else "minor"
    return "patch"


def _numbers(text: str) -> tuple[int, int, int] | None:
    match = re.match(r"^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2] or 0), int(match[3] or 0)) if match else None


def _summary(found: Sequence[Change], needed: Level, old: str, new: str, *, enough: bool) -> str:
    if not found:
        return "nothing changed that readers or checks could notice"
    grown = f"{old} → {new}"
    return f"{grown} says enough" if enough else f"{grown} says too little: these changes need a {needed} version"
