"""Where in a file an error of its model stands, and which keys may stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, get_args, get_origin

from dativo_provider.config.shapes.base import Shape
from dativo_provider.config.yamlpos import Key

__all__ = ["allowed_keys", "data_path"]


def data_path(data: Any, loc: Sequence[Key], *, missing: bool) -> tuple[Key, ...]:
    """`loc` without what pydantic adds for unions, and only as deep as the file goes."""
    path: list[Key] = []
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            continue
        path.append(part)
    return (*path, loc[-1]) if missing else tuple(path)


def allowed_keys(model: type[Shape], path: Sequence[Key]) -> list[str]:
    """The keys that may stand at `path` of a file of this model; empty where anything may."""
    found: type[Shape] | None = model
    for key in path:
        if isinstance(key, str):
            found = _shape_below(found, key)
        if found is None:
            return []
    return list(_fields(found)) if found else []


@lru_cache(maxsize=256)
def _fields(model: type[Shape]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _shape_below(model: type[Shape] | None, key: str) -> type[Shape] | None:
    annotation = _fields(model).get(key) if model else None
    return next(_shapes(annotation), None)


def _shapes(annotation: Any) -> Iterator[type[Shape]]:
    if isinstance(annotation, type) and issubclass(annotation, Shape) and get_origin(annotation) is None:
        yield annotation
    for part in get_args(annotation):
        yield from _shapes(part)
