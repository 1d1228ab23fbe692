"""MySQL types: which of ours each is, how it is selected, and how its text becomes Arrow.

https://dev.mysql.com/doc/refman/8.4/en/data-types.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dativo_provider.connectors.mysql.sql import identifier
from dativo_provider.model.stream import Field

__all__ = ["Column", "column_of", "described_column"]

_WHOLE = {"tinyint": "int", "smallint": "int", "mediumint": "int", "int": "int", "year": "int", "bigint": "long"}
_UNSIGNED = {"int": "long", "bigint": "decimal(20,0)"}
_PLAIN = {
    **_WHOLE, "float": "float", "double": "double", "date": "date", "datetime": "timestamp",
    "timestamp": "timestamptz", "uuid": "uuid", "binary": "binary", "varbinary": "binary", "tinyblob": "binary",
    "blob": "binary", "mediumblob": "binary", "longblob": "binary",
}  # fmt: skip
_SPATIAL = frozenset("geometry point linestring polygon multipoint multilinestring multipolygon geomcollection "
                     "geometrycollection".split())  # fmt: skip
_BINARY_CHARSET = 63


@dataclass(frozen=True)
class Column:
    """A column as it will be read. `digits` are the fractional ones of its seconds."""

    name: str
    type: str
    source_type: str
    required: bool = False
    description: str = ""
    form: str = "plain"  # plain | double | number: what its value is made into by the server
    digits: int = 0
    collation: str = ""

    @property
    def field(self) -> Field:
        return Field(self.name, self.type, self.required, self.description, source_type=self.source_type)

    @property
    def is_dated(self) -> bool:
        return self.type in ("date", "timestamp", "timestamptz")

    @property
    def step(self) -> timedelta:
        """Between two neighbouring moments."""
        return timedelta(days=1) if self.type == "date" else timedelta(microseconds=10 ** (6 - self.digits))

    def selected(self) -> str:
        """The expression whose text we parse. A FLOAT's own text has six digits, a BIT's is raw bytes."""
        quoted = identifier(self.name)
        sum_ = {"double": f"{quoted} + 0e0", "number": f"{quoted} + 0"}.get(self.form)
        return f"{sum_} as {quoted}" if sum_ else quoted


def column_of(row: Mapping[str, Any]) -> Column:
    """A row of `information_schema.columns`: name, data_type, column_type, precision, scale, digits, ..."""
    data, full = str(row["data_type"]).lower(), str(row["column_type"]).lower()
    type_, form = _shape(data, full, row["precision"], row["scale"])
    return Column(
        str(row["name"]), type_, full, row["nullable"] == "NO", str(row["comment"] or ""), form,
        int(row["digits"] or 0), str(row["collation"] or ""),
    )  # fmt: skip


def _shape(data: str, full: str, precision: Any, scale: Any) -> tuple[str, str]:
    if data == "decimal":
        return (_decimal(int(precision), int(scale)), "plain")
    if data == "bit":
        width = int(precision or 1)
        return ("boolean" if width == 1 else "long" if width < 64 else "decimal(20,0)"), "number"
    if data in _SPATIAL:
        return "binary", "plain"
    if data in _WHOLE and "unsigned" in full:
        return _UNSIGNED.get(data, _WHOLE[data]), "plain"
    return _PLAIN.get(data, "string"), "double" if data == "float" else "plain"


def _decimal(precision: int, scale: int) -> str:
    return f"decimal({precision},{scale})" if precision <= 38 else "string"


# What a query yields: the protocol's own words. https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
_CODES: Mapping[int, str] = {
    1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 7: "timestamp", 8: "bigint", 9: "mediumint",
    10: "date", 12: "datetime", 13: "year", 16: "bit", 255: "geometry",
}  # fmt: skip
_UNSIGNED_FLAG = 32
_BLOBS = frozenset({249, 250, 251, 252, 253, 254, 15})


def described_column(field: Any) -> Column:
    """A column of a query's answer: PyMySQL's field descriptor."""
    data = _CODES.get(field.type_code, "")
    if field.type_code in (0, 246):
        digits = _digits(field)
        return Column(field.name, _decimal(*digits), "decimal({},{})".format(*digits))
    if field.type_code in _BLOBS:
        kind = "binary" if field.charsetnr == _BINARY_CHARSET else "string"
        return Column(field.name, kind, "blob" if kind == "binary" else "text")
    unsigned = " unsigned" if field.flags & _UNSIGNED_FLAG else ""
    type_, form = _shape(data, data + unsigned, _width(field), None) if data else ("string", "plain")
    return Column(field.name, type_, data + unsigned or "text", form=form, digits=min(int(field.scale), 6))


def _digits(field: Any) -> tuple[int, int]:
    """Precision and scale: the display length counts the sign and the point too."""
    scale = int(field.scale)
    sign = 0 if field.flags & _UNSIGNED_FLAG else 1
    return int(field.length) - sign - (1 if scale else 0), scale


def _width(field: Any) -> int:
    return int(field.length)
