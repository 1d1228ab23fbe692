"""`where` of a dataset check: the condition as it stands in a FILTER, and the columns it reads."""

from __future__ import annotations

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.sql.syntax import named_columns, parsed_condition

__all__ = ["columns_named", "condition", "filtered", "read_by", "those_that_count"]


def condition(check: CheckSpec) -> str:
    """Raises `ConfigurationError` unless `where` is one expression over the columns of a row."""
    _parsed(check)
    return f"(\n{check.where}\n)"


def filtered(aggregate: str, check: CheckSpec, *conditions: str) -> str:
    """The aggregate over the rows that count, and meet `conditions`."""
    met = [*([condition(check)] if check.where else []), *conditions]
    return f"{aggregate} FILTER (WHERE {' AND '.join(met)})" if met else aggregate


def those_that_count(check: CheckSpec, *conditions: str) -> str:
    """The same as a WHERE clause."""
    met = [*([condition(check)] if check.where else []), *conditions]
    return f"WHERE {' AND '.join(met)}" if met else ""


def read_by(check: CheckSpec, scene: Scene, *columns: str) -> frozenset[str]:
    """`columns`, and those that `where` names."""
    more = columns_named(named_columns(_parsed(check)), scene) if check.where else []
    return frozenset((*columns, *more))


def columns_named(names: set[str] | None, scene: Scene) -> list[str]:
    """The columns of the rows that are among `names` (lowercase); all of them for None."""
    return [field.name for field in scene.fields if names is None or field.name.casefold() in names]


def _parsed(check: CheckSpec) -> object:
    try:
        return parsed_condition(check.where)
    except ConfigurationError as error:
        raise ConfigurationError(f"where: {error.message}", where=check.declared_in) from None
