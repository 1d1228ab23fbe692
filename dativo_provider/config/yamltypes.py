"""Scalars by YAML 1.2's core schema, on libyaml when it is there."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml
from yaml.nodes import Node, ScalarNode, SequenceNode

__all__ = ["MAP", "MERGE", "NULL", "SEQ", "STR", "Loader", "scalar", "shown"]

_CORE = "tag:yaml.org,2002:"
STR, SEQ, MAP, MERGE = _CORE + "str", _CORE + "seq", _CORE + "map", _CORE + "merge"
NULL, _BOOL, _INT, _FLOAT = _CORE + "null", _CORE + "bool", _CORE + "int", _CORE + "float"
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")
_REAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)?(?:\.[0-9]+|(?<=[0-9])\.|(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_SPECIAL = {".inf": "inf", ".Inf": "inf", ".INF": "inf", "+.inf": "inf", "-.inf": "-inf", ".nan": "nan", ".NaN": "nan"}
_MAX_DIGITS = 400


@lru_cache(maxsize=8192)
def _plain_tag(text: str) -> str:
    if text in _BOOLS:
        return _BOOL
    if text in ("", "~", "null", "Null", "NULL"):
        return NULL
    if text == "<<":
        return MERGE
    if text[0] in "+-.0123456789" and len(text) < _MAX_DIGITS:
        if _INTEGER.fullmatch(text):
            return _INT
        if text in _SPECIAL or (_is_real(text) and abs(float(text)) != float("inf")):
            return _FLOAT
    return STR


def _is_real(text: str) -> bool:
    return bool(_REAL.fullmatch(text)) and any(char.isdigit() for char in text.lower().partition("e")[0])


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Composes nodes with their places; used for nothing else."""

    def resolve(self, kind: type[Node], value: str | None, implicit: Any) -> str:
        if kind is ScalarNode:
            return _plain_tag(value or "") if implicit[0] else STR
        return SEQ if kind is SequenceNode else MAP


def scalar(tag: str, text: str) -> Any:
    """The value of a scalar that is not text. Raises `ValueError` when `text` is not of its tag."""
    if tag == NULL and _plain_tag(text) == NULL:
        return None
    if tag == _BOOL and text in _BOOLS:
        return _BOOLS[text]
    if tag == _INT and _plain_tag(text) == _INT:
        return int(text, 0)
    if tag == _FLOAT and _plain_tag(text) == _FLOAT:
        return float(_SPECIAL.get(text, text))
    if tag == _FLOAT and _plain_tag(text) == _INT:
        return float(int(text, 0))
    if tag == MERGE:
        return text
    raise ValueError(text)


def shown(tag: str) -> str:
    return tag.replace(_CORE, "!!")
