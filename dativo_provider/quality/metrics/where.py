"""`where` of a dataset check: the condition as it stands in a FILTER, and the columns it reads."""

from __future__ import annotations

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.sql.syntax import is_aggregate, named_columns, nodes, parsed

__all__ = ["columns_named", "condition", "filtered", "read_by"]

_REFUSED = ("SUBQUERY", "WINDOW", "PARAMETER", "STAR")


def condition(check: CheckSpec) -> str:
    """Raises `ConfigurationError` unless `where` is one expression over the columns of a row."""
    tree = _parsed(check)
    if any(node.get("class") in _REFUSED or is_aggregate(node) for node in nodes(tree)):
        raise ConfigurationError("where: it looks at more than the columns of one row", where=check.declared_in)
    return f"(\n{check.where}\n)"


def filtered(aggregate: str, check: CheckSpec) -> str:
    """The aggregate over the rows that count."""
    return f"{aggregate} FILTER (WHERE {condition(check)})" if check.where else aggregate


def read_by(check: CheckSpec, scene: Scene, *columns: str) -> frozenset[str]:
    """`columns`, and those that `where` names."""
    more = columns_named(named_columns(_parsed(check)), scene) if check.where else []
    return frozenset((*columns, *more))


def columns_named(names: set[str] | None, scene: Scene) -> list[str]:
    """The columns of the rows that are among `names` (lowercase); all of them for None."""
    return [field.name for field in scene.fields if names is None or field.name.casefold() in names]


def _parsed(check: CheckSpec) -> object:
    try:
        return parsed(check.where)
    except ConfigurationError as error:
        raise ConfigurationError(f"where: {error.message}", where=check.declared_in) from None
