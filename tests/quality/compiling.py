"""Rules of any language, compiled against the columns of one small table."""

from __future__ import annotations

from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec, Rule
from dativo_provider.model.stream import Field
from dativo_provider.quality.frontends.compile import compile_rules

__all__ = ["FIELDS", "allowed", "compiled", "one", "refused"]

WHERE = "orders.odcs.yaml:12:9"
FIELDS = (
    Field("id", "long", required=True),
    Field("amount", "decimal(9,2)"),
    Field("rate", "double"),
    Field("email"),
    Field("state"),
    Field("born", "date"),
    Field("seen", "timestamptz"),
    Field("paid", "boolean"),
    Field("tags", "list<string>"),
    Field("key", "uuid"),
)


def compiled(body: dict[str, Any], language: str = "inline", column: str = "", **options: Any) -> list[CheckSpec]:
    rule = Rule(language, body, column, WHERE)
    return [c for c in compile_rules([rule], options.pop("fields", FIELDS), **options) if c.declared_in]


def one(body: dict[str, Any], language: str = "inline", column: str = "", **options: Any) -> CheckSpec:
    (check,) = compiled(body, language, column, **options)
    return check


def refused(body: dict[str, Any], language: str = "inline", column: str = "") -> str:
    with pytest.raises(ConfigurationError) as error:
        compiled(body, language, column)
    assert error.value.where == WHERE
    return str(error.value)


def allowed(op: str, value: Any, unit: str = "rows") -> dict[str, Any]:
    return {"allowed": {"op": op, "value": value, "unit": unit}}
