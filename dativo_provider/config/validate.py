"""A file's data as its model, or every reason why not, each at its place and in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from dativo_provider.config.layers import Findings, Located
from dativo_provider.config.mending import mended
from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.shapekeys import allowed_keys, data_path
from dativo_provider.config.shapes.base import Shape
from dativo_provider.config.yamlpos import Key
from dativo_provider.vocabulary import WriteMode

__all__ = ["shaped"]

T = TypeVar("T", bound=Shape)
_WORDS = re.compile(r"'([^']*)'")


def shaped(model: type[T], data: Any, at: Located, findings: Findings, prefix: Sequence[Key] = ()) -> T | None:
    """`data` as `model`, with its problems added to `findings`. `prefix` leads to `data` in `at`.

    What is wrong is mended in `data` as its remedy says, or taken out, so that the rest can be judged as well; None
    where that does not help.
    """
    try:
        return model.model_validate(data)
    except ValidationError as failed:
        errors = failed.errors(include_url=False)
        for error in errors:
            _explain(model, data, error, at, findings, tuple(prefix))
        return mended(model, data, errors, at, findings, prefix)
    except RecursionError:
        findings.error(at, prefix, "nested too deeply", "flatten it")
    return None


def _explain(
    model: type[Shape], data: Any, error: Mapping[str, Any], at: Located, findings: Findings, prefix: tuple[Key, ...]
) -> None:
    path = data_path(data, error["loc"], missing=error["type"] == "missing")
    keys = (*prefix, *path, *(("type",) if error["type"] == "union_tag_invalid" else ()))
    if error["type"] == "extra_forbidden":
        _unknown_key(model, path, keys, data, at, findings)
    elif error["type"] == "missing":
        name = str(error["loc"][-1])
        findings.error(at, keys[:-1], f"'{name}' is missing{_in(keys[:-1])}", f"add `{name}:`", value=False)
    else:
        message, remedy = _wording(error, keys)
        findings.error(at, keys, message, remedy)


def _unknown_key(
    model: type[Shape], path: tuple[Key, ...], keys: tuple[Key, ...], data: Any, at: Located, findings: Findings
) -> None:
    allowed = allowed_keys(model, path[:-1], data)
    hint = did_you_mean(str(keys[-1]), allowed)
    remedy = f"{hint} Allowed: {listed(allowed)}".strip() if allowed else hint
    findings.error(at, keys, f"'{keys[-1]}' is not a key{_of(keys[:-1])}", remedy, value=False)


def _of(keys: Sequence[Key]) -> str:
    return f" of {_dotted(keys)}" if keys else " here"


def _in(keys: Sequence[Key]) -> str:
    return f" in {_dotted(keys)}" if keys else ""


def _dotted(keys: Sequence[Key]) -> str:
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
}


def _hint(given: str, words: Sequence[str], keys: tuple[Key, ...]) -> str:
    if keys == ("target", "mode") and given in get_args(WriteMode):
        return "`write_mode:` says how rows are written."
    return did_you_mean(given, words)


def _wording(error: Mapping[str, Any], keys: tuple[Key, ...]) -> tuple[str, str]:
    name = _named(keys)
    if error["type"] == "literal_error":
        words = _WORDS.findall(str(error["ctx"]["expected"])) or [str(error["ctx"]["expected"])]
        hint = _hint(str(error["input"]), words, keys) if isinstance(error["input"], str) else ""
        return f"{name} cannot be {_shown(error['input'])}", f"{hint} Use one of: {listed(words)}".strip()
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_type(error, name)
    if error["type"] == "string_pattern_mismatch":
        return f"{name} does not fit {error['ctx']['pattern']}", "use other letters"
    if error["type"] in _EXPECTED:
        return f"{name} must be {_EXPECTED[error['type']]}, not {_kind(error['input'])}", ""
    if error["type"] == "value_error":
        wrong = error["ctx"]["error"]
        return f"{name}: {wrong}", getattr(wrong, "remedy", "")
    said = (
        str(error["msg"])
        .replace("Input should", "must")
        .replace("List should", "must")
        .replace("String should", "must")
    )
    return f"{name} {said[:1].lower()}{said[1:]}", ""


def _unknown_type(error: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Of shapes that are told apart by the word under `type`."""
    context = error.get("ctx", {})
    words = _WORDS.findall(str(context.get("expected_tags", "")))
    if "tag" not in context:
        return f"{name} has no `type`", "say which kind it is"
    remedy = f"{did_you_mean(context['tag'], words)} Use one of: {listed(words)}".strip()
    return f"{name} cannot be '{context['tag']}'", remedy


def _named(keys: Sequence[Key]) -> str:
    """`'cron'`, or `'partitioning[2]'` for an item."""
    last = next((at for at in range(len(keys) - 1, -1, -1) if isinstance(keys[at], str)), 0)
    return f"'{_dotted(keys[last:])}'" if keys else "the file"


def _shown(value: Any) -> str:
    return f"'{value[:60]}'" if isinstance(value, str) else _kind(value)


def _kind(value: Any) -> str:
    """What a value is, never what it says: it may be a password."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    names = ((str, "text"), (int, "a number"), (float, "a number"), (list, "a list"), (dict, "a mapping of keys"))
    return next((name for kind, name in names if isinstance(value, kind)), "that")
