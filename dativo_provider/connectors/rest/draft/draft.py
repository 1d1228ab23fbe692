"""A spec that is being written, and the remarks that stand beside its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Draft", "as_text", "slug", "snake"]

_WIDTH = 110
_FLAT = 3  # levels that always stand on lines of their own


@dataclass
class Draft:
    """`remarks` by the path of a key: they become comments above it."""

    spec: dict[str, Any]
    remarks: dict[tuple[str, ...], str] = field(default_factory=dict)

    def remark(self, text: str, *keys: str) -> None:
        self.remarks[keys] = f"{self.remarks[keys]}; {text}" if keys in self.remarks else text


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)


def slug(text: str) -> str:
    """A name that jobs and files can have."""
    made = "".join(each if each.isascii() and each.isalnum() else "_" for each in snake(text).lower())
    made = "_".join(part for part in made.split("_") if part) or "api"
    return made if made[0].isalpha() else f"api_{made}"


def as_text(draft: Draft) -> str:
    head = draft.remarks.get((), "")
    return "\n".join([*_comment(head, 0), *_mapping(draft.spec, (), draft.remarks)]) + "\n"


def _mapping(value: Mapping[str, Any], path: tuple[str, ...], remarks: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    indent = "  " * len(path)
    for key, each in value.items():
        here = (*path, str(key))
        yield from _comment(remarks.get(here, ""), len(path))
        if isinstance(each, Mapping) and each and not _fits(each, here, remarks):
            yield f"{indent}{_scalar(key)}:"
            yield from _mapping(each, here, remarks)
        else:
            yield f"{indent}{_scalar(key)}: {_flow(_short(each, here))}"


def _short(value: Any, path: tuple[str, ...]) -> Any:
    """A column with nothing but a type is that type."""
    column = path[-2:-1] == ("columns",) and isinstance(value, Mapping) and value.keys() == {"type"}
    return value["type"] if column else value


def _fits(value: Mapping[str, Any], path: tuple[str, ...], remarks: Mapping[tuple[str, ...], str]) -> bool:
    """Whether it may stand on one line: it is small, and nothing inside has a remark."""
    told = any(keys[: len(path)] == path and len(keys) > len(path) for keys in remarks)
    wide = 2 * len(path) + len(path[-1]) + len(_flow(value)) > _WIDTH
    return not told and not wide and len(path) >= _FLAT - (path[0] != "streams")


def _comment(text: str, level: int) -> Iterator[str]:
    return (f"{'  ' * level}# {line}" for line in text.splitlines())


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """As YAML reads it back, on one line, wherever it stands."""
    import yaml

    text = " ".join(value.split()) if isinstance(value, str) else value
    return str(yaml.safe_dump([text], default_flow_style=True, width=10**9, allow_unicode=True)).strip()[1:-1]
