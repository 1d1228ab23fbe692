"""`${VAR}`, `${VAR:-default}` and `${SECRET:NAME}` in YAML values: found when files are read, resolved by a step.

A tenant's files are untrusted: only variables that are allowed by name (a trailing `*` allows a prefix) are
replaced, what they expand to is never expanded again, and nothing else in a string means anything (no Jinja).
`$${` writes a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dativo_provider.errors import ConfigurationError, CredentialError

__all__ = ["Reference", "expand", "find_references", "is_allowed"]

_REFERENCE = re.compile(r"(\$)?\$\{([^{}]*)\}")
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_SECRET = re.compile(r"SECRET:([A-Za-z0-9][A-Za-z0-9_.-]*)")
_REMEDY = "write ${NAME}, ${NAME:-default} or ${SECRET:NAME}, and $${ for a literal ${"


@dataclass(frozen=True)
class Reference:
    """One `${…}`. `problem` says what is wrong with its grammar."""

    kind: str  # variable | secret
    name: str
    text: str
    default: str | None = None
    problem: str = ""
    path: tuple[str | int, ...] = ()


def find_references(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Reference]:
    """Every reference at any depth of `value`, with the keys that lead to it."""
    if isinstance(value, str):
        if "${" in value:
            yield from _in_text(value, path)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from find_references(inner, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for at, inner in enumerate(value):
            yield from find_references(inner, (*path, at))


def _in_text(text: str, path: tuple[str | int, ...]) -> Iterator[Reference]:
    for match in _REFERENCE.finditer(text):
        if not match[1]:
            yield _parse(match[2], path)
    if "${" in _REFERENCE.sub("", text):
        yield Reference("variable", "", text, problem="'${' is not closed by '}'", path=path)


def _parse(inner: str, path: tuple[str | int, ...] = ()) -> Reference:
    text = f"${{{inner}}}"
    if secret := _SECRET.fullmatch(inner):
        return Reference("secret", secret[1], text, path=path)
    if inner.startswith("SECRET:"):
        return Reference("secret", "", text, problem=f"'{text}' does not name a secret", path=path)
    if variable := _VARIABLE.fullmatch(inner):
        return Reference("variable", variable[1], text, variable[2], path=path)
    return Reference("variable", "", text, problem=f"'{text}' does not name a variable", path=path)


def is_allowed(name: str, allowed: Iterable[str]) -> bool:
    """Whether `name` is in the list, where `PREFIX_*` stands for every name that begins so."""
    return any(name == each or (each.endswith("*") and name.startswith(each[:-1])) for each in allowed)


def expand(
    value: Any,
    variables: Mapping[str, str],
    allowed: Iterable[str],
    secret: Callable[[str], str] | None = None,
) -> Any:
    """`value` with every reference replaced, at any depth.

    Raises `ConfigurationError` for a variable that is not allowed or not set, `CredentialError` when a secret is
    asked for where there are none. `secret` raises its own errors.
    """
    names = tuple(allowed)

    def replace(match: re.Match[str]) -> str:
        return f"${{{match[2]}}}" if match[1] else _value(_parse(match[2]), variables, names, secret)

    def walk(inner: Any) -> Any:
        if isinstance(inner, str):
            return _substituted(inner, replace) if "${" in inner else inner
        if isinstance(inner, Mapping):
            return {key: walk(each) for key, each in inner.items()}
        if isinstance(inner, list | tuple):
            return type(inner)([walk(each) for each in inner])
        return inner

    return walk(value)


def _substituted(text: str, replace: Callable[[re.Match[str]], str]) -> str:
    if "${" in _REFERENCE.sub("", text):
        raise ConfigurationError("a reference is not closed: '${' without '}'", remedy=_REMEDY)
    return _REFERENCE.sub(replace, text)


def _value(
    reference: Reference,
    variables: Mapping[str, str],
    allowed: tuple[str, ...],
    secret: Callable[[str], str] | None,
) -> str:
    if reference.problem:
        raise ConfigurationError(reference.problem, remedy=_REMEDY)
    if reference.kind == "secret":
        if secret is None:
            raise CredentialError(f"secret '{reference.name}' cannot be read here", remedy="set a secrets provider")
        return str(secret(reference.name))
    if not is_allowed(reference.name, allowed):
        raise ConfigurationError(
            f"variable '{reference.name}' is not allowed for this tenant",
            remedy="add it to `variables:` in the tenant's tenant.yaml",
        )
    found = variables.get(reference.name) or reference.default
    if found is None:
        raise ConfigurationError(
            f"variable '{reference.name}' is not set",
            remedy=f"set it in the environment, or write ${{{reference.name}:-default}}",
        )
    return found
