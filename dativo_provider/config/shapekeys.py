"""Where in a file an error of its model stands, and which keys may stand there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

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


def allowed_keys(model: type[Shape], path: Sequence[Key], data: Any = None) -> list[str]:
    """The keys that may stand at `path` of a file of this model; empty where anything may.

    `data` tells which of several shapes stands there, where they differ by a word (`type: cursor`).
    """
    annotation: Any = model
    for key in path:
        data = _item(data, key)
        shape = _shape_of(annotation, None) if _is_shape(annotation) else None
        annotation = _fields(shape).get(str(key)) if shape else _element(annotation, key)
        annotation = _chosen(annotation, data)
    found = _shape_of(annotation, data)
    return list(_fields(found)) if found else []


def _item(data: Any, key: Key) -> Any:
    try:
        return data[key]
    except (KeyError, IndexError, TypeError):
        return None


@lru_cache(maxsize=256)
def _fields(model: type[Shape]) -> dict[str, Any]:
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _is_shape(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Shape) and get_origin(annotation) is None


def _chosen(annotation: Any, data: Any) -> Any:
    """Of a union the shape that `data` is; a list or mapping of shapes stays what it is."""
    holders = [part for part in _parts(annotation) if get_origin(part) in (list, dict)]
    if holders and (not isinstance(data, dict) or get_origin(holders[0]) is dict):
        return holders[0]
    return _shape_of(annotation, data)


def _element(annotation: Any, key: Key) -> Any:
    """What a list (under a number) or a mapping of shapes (under any name) holds."""
    if get_origin(annotation) in (list, dict):
        return get_args(annotation)[-1]
    return annotation if isinstance(key, int) else None


def _parts(annotation: Any) -> Iterator[Any]:
    """The members of a union, without what pydantic was told beside them."""
    if get_origin(annotation) in (Annotated, Union, UnionType):
        members = get_args(annotation)[:1] if get_origin(annotation) is Annotated else get_args(annotation)
        for part in members:
            yield from _parts(part)
    elif annotation is not None:
        yield annotation


def _shape_of(annotation: Any, data: Any) -> type[Shape] | None:
    shapes = list(_shapes(annotation))
    word = data.get("type") if isinstance(data, dict) else None
    for shape in shapes if len(shapes) > 1 else ():
        if "type" in shape.model_fields and shape.model_fields["type"].default == word:
            return shape
    return next(iter(shapes), None)


def _shapes(annotation: Any) -> Iterator[type[Shape]]:
    if _is_shape(annotation):
        yield annotation
    for part in get_args(annotation):
        yield from _shapes(part)
