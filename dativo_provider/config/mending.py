"""A file read on as if its author had followed the remedies: one mistake hides no other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from dativo_provider.config.layers import Findings, Located
from dativo_provider.config.problems import nearest
from dativo_provider.config.shapekeys import allowed_keys, data_path
from dativo_provider.config.shapes.base import Shape
from dativo_provider.config.yamlpos import Key

__all__ = ["mended"]

T = TypeVar("T", bound=Shape)


def mended(
    model: type[T],
    data: Any,
    errors: Sequence[Mapping[str, Any]],
    at: Located,
    findings: Findings,
    prefix: Sequence[Key],
) -> T | None:
    """`data` as `model` after a misspelt key or word was replaced by the nearest and anything else that is wrong was
    taken out, in `data` itself; None where it is wrong all the same. Items of lists stay, as places count them."""
    for error in errors:
        *path, key = data_path(data, error["loc"], missing=False) or ("",)
        below = _at(data, path)
        if isinstance(below, dict) and key in below:
            _mend(model, below, path, key, error)
            findings.mended(at, (*prefix, *path, key))
    try:
        return model.model_validate(data)
    except (ValidationError, RecursionError):
        return None


def _at(data: Any, path: Sequence[Key]) -> Any:
    for key in path:
        data = data[key]
    return data


def _mend(model: type[Shape], below: dict[Any, Any], path: Sequence[Key], key: Key, error: Mapping[str, Any]) -> None:
    value = below.pop(key)
    if error["type"] == "extra_forbidden":
        near = nearest(str(key), allowed_keys(model, path))
        if near and near not in below:
            below[near] = value
    elif error["type"] == "literal_error" and isinstance(value, str):
        near = nearest(value, re.findall(r"'([^']*)'", str(error["ctx"]["expected"])))
        if near:
            below[key] = near
