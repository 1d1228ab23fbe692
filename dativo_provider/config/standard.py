"""Where an ODCS contract departs from the standard's own JSON Schema.

The schema is that of 3.2, which describes 3.0 and 3.1 as well; the package `open-data-contract-standard` brings it.
https://bitol-io.github.io/open-data-contract-standard/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from dativo_provider.config.problems import Problem, did_you_mean, listed
from dativo_provider.config.yamlpos import Document, Key

__all__ = ["standard_problems"]

_UNKNOWN = ("additionalProperties", "unevaluatedProperties")
_OLDER = ("v3.0", "v2.2", "3.0", "2.2")
_REMEDY = "Dativo reads it, other tools may not"


def standard_problems(doc: Document) -> list[Problem]:
    """Warnings at their places: what Dativo cannot use is an error of its own, and reported elsewhere."""
    from jsonschema.exceptions import best_match

    data = {key: value for key, value in doc.data.items() if key != "$schema"}
    errors = [best_match([error]) for error in _validator().iter_errors(data)]
    if str(data.get("apiVersion")).startswith(_OLDER):
        errors = [error for error in errors if not _was_allowed(error)]
    deep = [tuple(error.absolute_path) for error in errors if error.validator not in _UNKNOWN]
    found = [
        problem
        for error in errors
        if error.validator not in _UNKNOWN or not _any_below(tuple(error.absolute_path), deep)
        for problem in _problems(error, doc)
    ]
    return list(dict.fromkeys(found))


@lru_cache(maxsize=1)
def _validator() -> Any:
    from jsonschema import Draft201909Validator

    return Draft201909Validator(json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text()))


def _was_allowed(error: Any) -> bool:
    """3.0 knew keys beside its own, and rules called by any `rule:` without an operator."""
    return error.validator in _UNKNOWN or (isinstance(error.instance, dict) and "rule" in error.instance)


def _any_below(path: Sequence[Key], others: Sequence[Sequence[Key]]) -> bool:
    """A rule that lacks a key has all its keys reported as unknown, too."""
    return any(tuple(other[: len(path)]) == tuple(path) for other in others)


def _problems(error: Any, doc: Document) -> Iterator[Problem]:
    path = tuple(error.absolute_path)
    say = _SAY.get(error.validator, _misfit)
    for keys, message, hint in say(error, path):
        line, column = doc.place(keys)
        remedy = hint or _REMEDY
        yield Problem(
            doc.path, line, column, ".".join(map(str, keys)), f"not as ODCS 3.2 has it: {message}", remedy, "warning"
        )


Said = Iterator[tuple[tuple[Key, ...], str, str]]


def _unknown(error: Any, path: tuple[Key, ...]) -> Said:
    known = _known_keys(error)
    for key in error.instance:
        if key not in known:
            yield (*path, key), f"'{key}' is no key of {_named(path)}", did_you_mean(key, known)


def _known_keys(error: Any) -> set[str]:
    """Of a rule, whose keys hang on its type, those the validator did not complain of."""
    if error.validator == "additionalProperties":
        return set(error.schema.get("properties", {}))
    said = error.message.partition("(")[2]
    return {key for key in error.instance if f"'{key}'" not in said}


def _missing(error: Any, path: tuple[Key, ...]) -> Said:
    for key in error.validator_value:
        if key not in error.instance:
            yield path, f"'{key}' is missing in {_named(path)}", ""


def _closed(error: Any, path: tuple[Key, ...]) -> Said:
    hint = did_you_mean(str(error.instance), map(str, error.validator_value))
    yield path, f"'{path[-1]}' is one of {listed(error.validator_value)}", hint


def _kind(error: Any, path: tuple[Key, ...]) -> Said:
    wanted = error.validator_value
    yield path, f"{_named(path)} must be {wanted if isinstance(wanted, str) else ' or '.join(wanted)}", ""


def _misfit(error: Any, path: tuple[Key, ...]) -> Said:
    """Values are not shown: a server may hold a password."""
    rule = error.validator_value
    yield path, f"{_named(path)} breaks {error.validator}{'' if isinstance(rule, Mapping | list) else f' {rule}'}", ""


def _named(path: Sequence[Key]) -> str:
    names = [str(key) for key in path if isinstance(key, str)]
    return f"'{names[-1]}'" if names else "the contract"


_SAY: dict[str, Callable[[Any, tuple[Key, ...]], Said]] = {
    "additionalProperties": _unknown,
    "unevaluatedProperties": _unknown,
    "required": _missing,
    "enum": _closed,
    "type": _kind,
}
