"""Contract types in `model.types` spelling.

| logicalType or older type | becomes | refined by physicalType |
|---|---|---|
| string, text, varchar, … | string | bytea, blob, … → binary |
| integer, bigint, … | long | int → int, smallint → int, numeric(p,s) → decimal(p,s) |
| number, float, double | double | real → float, decimal(p,s), bigint, … |
| boolean, date, time | the same | |
| timestamp, datetime | timestamptz | without time zone → timestamp |
| array, object, map, vector | list<…>, struct<…>, map<…>, list<float> | |

Types are never narrower than what is declared: a bare `integer` is 64 bits, a bare `number` a double.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.shapes.contract import Options, PropertyBase

__all__ = ["LOGICAL", "BadType", "column_type", "doubtful_physical", "named_type"]

Path = tuple[str | int, ...]
# A numeric without precision holds anything in its database; 38 digits with 9 of them decimals is what
# warehouses that share the word mean by it.
_BARE_DECIMAL = "decimal(38,9)"
_HAS_TIME = re.compile(r"[HhKkmsSAnN]")
_DECIMAL = re.compile(r"(?:decimal|numeric|number|dec|bignumeric)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)")
_SIZED = re.compile(r"\s*\([^)]*\)")

_PHYSICAL = {
    name: kind
    for kind, names in {
        "string": "string text varchar char character nvarchar nchar varchar2 nvarchar2 character_varying bpchar clob "
        "longtext mediumtext tinytext citext name enum json jsonb variant xml inet cidr uuid ntext str utf8",
        "boolean": "boolean bool bit logical",
        "int": "int int4 int32 integer smallint int2 int16 tinyint int8_t byteint mediumint serial smallserial short",
        "long": "bigint int8 int64 long bigserial unsigned_int uint32 int_unsigned",
        "float": "real float4 float32 binary_float",
        "double": "double double_precision float float8 float64 binary_double money",
        _BARE_DECIMAL: "decimal numeric number bignumeric dec",
        "date": "date date32",
        "time": "time time_without_time_zone timetz",
        "timestamp": "timestamp_without_time_zone timestamp_ntz timestampntz datetime2 smalldatetime",
        "timestamptz": "timestamptz timestamp_with_time_zone timestamp_tz timestamp_ltz timestamp_with_local_time_zone "
        "datetimeoffset timestamp datetime",
        "binary": "binary varbinary bytea blob bytes longblob mediumblob tinyblob image raw",
    }.items()
    for name in names.split()
}  # fmt: skip
_FAMILY = {
    "string": {"string", "binary"},
    "integer": {"int", "long", "decimal"},
    "number": {"int", "long", "float", "double", "decimal"},
    "timestamp": {"timestamp", "timestamptz"},
    "date": {"date", "timestamp", "timestamptz"},
}
_DEFAULT = {
    "string": "string", "integer": "long", "number": "double", "boolean": "boolean", "date": "date", "time": "time",
    "timestamp": "timestamptz", "uuid": "uuid", "binary": "binary",
}  # fmt: skip
_OLDER = {
    "text": "string", "str": "string", "varchar": "string", "json": "string", "bigint": "integer", "int": "integer",
    "long": "integer", "smallint": "integer", "float": "number", "double": "number", "bool": "boolean",
    "datetime": "timestamp", "list": "array", "struct": "object", "record": "object", "bytes": "binary",
}  # fmt: skip
LOGICAL = ("string", "integer", "number", "boolean", "date", "time", "timestamp", "array", "object", "map", "vector")


class BadType(Exception):
    """`path` leads from the property to the key that is wrong."""

    def __init__(self, path: Path, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.path, self.message, self.remedy = path, message, remedy


def column_type(column: PropertyBase, declared: str | None) -> str:
    """The type of a property whose `logicalType` (or older `type`) is `declared`. Raises `BadType`."""
    if not declared:
        return _physical_only(column)
    word = declared.strip().lower()
    logical = _OLDER.get(word, word)
    nested = _NESTED.get(logical)
    if nested:
        return nested(column)
    found = _scalar(logical, word, column)
    if found is None:
        hint = did_you_mean(word, (*LOGICAL, *_OLDER, "decimal(18,2)"))
        raise BadType((), f"'{declared}' is not a type", f"{hint} Use one of: {listed(LOGICAL)}, decimal(P,S)".strip())
    return found


def doubtful_physical(column: PropertyBase) -> str:
    """A hint when `physicalType` is unknown but near a known one: a slip would otherwise widen the column silently."""
    if not column.physicalType or _physical(column.physicalType):
        return ""
    word = _SIZED.sub("", " ".join(column.physicalType.strip().lower().split())).replace(" ", "_")
    return did_you_mean(word, _PHYSICAL, 0.8)


def named_type(name: str) -> str | None:
    """A type written as one word (`data_type: bigint`), or None."""
    word = name.strip().lower()
    return _physical(word) or _DEFAULT.get(_OLDER.get(word, word))


def _scalar(logical: str, word: str, column: PropertyBase) -> str | None:
    if logical in ("decimal", "numeric") or logical.startswith(("decimal(", "numeric(")):
        return _physical(word) if column.physicalType is None else _physical(column.physicalType) or _physical(word)
    if logical in ("timestamptz", "uuid", "binary"):
        return logical
    if logical not in _DEFAULT:
        return None
    default = _DEFAULT[logical]
    if logical == "date" and _is_moment(column.logicalTypeOptions):
        logical, default = "timestamp", "timestamptz"
    options = column.logicalTypeOptions
    refined = _refined(logical, default, column.physicalType)
    if options:
        refined = _by_options(logical, refined, options)
    return refined


def _is_moment(options: Options | None) -> bool:
    """ODCS 3.0 has `date` for everything temporal; its format tells whether it has hours."""
    return bool(options and options.format and _HAS_TIME.search(re.sub(r"'[^']*'", "", options.format)))


def _refined(logical: str, default: str, physical: str | None) -> str:
    found = _physical(physical) if physical else None
    if found is None or found.partition("(")[0] not in _FAMILY.get(logical, ()):
        return default
    return found


def _by_options(logical: str, found: str, options: Options) -> str:
    word = (options.format or "").lower()
    if logical == "integer":
        return {"i32": "int", "i16": "int", "i8": "int", "i64": "long"}.get(word, found)
    if logical == "number":
        return {"f32": "float", "f64": "double"}.get(word, found)
    if found in ("timestamp", "timestamptz") and options.timezone is not None:
        return "timestamptz" if options.timezone else "timestamp"
    return found


@lru_cache(maxsize=2048)
def _physical(text: str) -> str | None:
    word = " ".join(text.strip().lower().split())
    match = _DECIMAL.fullmatch(word)
    if match:
        precision, scale = int(match[1]), int(match[2] or 0)
        return f"decimal({precision},{scale})" if 0 < precision <= 38 and scale <= precision else None
    if word.startswith("int") and "unsigned" in word:
        return "long"
    if word.startswith("bigint") and "unsigned" in word:
        return "decimal(20,0)"
    bare = _SIZED.sub("", word)
    if bare == "float" and (sized := re.fullmatch(r"float\s*\((\d+)\)", word)):
        return "float" if int(sized[1]) <= 24 else "double"
    return _PHYSICAL.get(bare.replace(" ", "_"))


def _physical_only(column: PropertyBase) -> str:
    if column.properties:
        return _struct(column)
    if column.items:
        return _list(column)
    if column.physicalType is None:
        return "string"
    found = _physical(column.physicalType)
    if column.physicalType.strip().lower() == "uuid":
        found = "uuid"
    if found is None:
        raise BadType(
            ("physicalType",),
            f"'{column.physicalType}' is not a physical type known here",
            f"add `logicalType:`, one of: {listed(LOGICAL)}",
        )
    return found


def _list(column: PropertyBase) -> str:
    return f"list<{_part(column.items, ('items',)) if column.items else 'string'}>"


def _struct(column: PropertyBase) -> str:
    """Without `properties` an object is kept as its JSON text."""
    if not column.properties:
        return "string"
    parts = []
    for at, inner in enumerate(column.properties):
        name = inner.name or ""
        if not name or re.search(r"[<>:,]", name):
            raise BadType(("properties", at), f"'{name}' cannot name a part of an object", "use letters, digits and _")
        parts.append(f"{name}:{_part(inner, ('properties', at))}")
    return f"struct<{','.join(parts)}>"


def _map(column: PropertyBase) -> str:
    if column.map is None:
        return "map<string,string>"
    key, value = _part(column.map.key, ("map", "key")), _part(column.map.value, ("map", "value"))
    return f"map<{key},{value}>"


def _vector(column: PropertyBase) -> str:
    word = (column.logicalTypeOptions.elementType or "") if column.logicalTypeOptions else ""
    return "list<double>" if word.lower() in ("double", "float64", "f64") else "list<float>"


def _part(column: PropertyBase, path: Path) -> str:
    declared = getattr(column, "logicalType", None) or getattr(column, "type", None)
    try:
        return column_type(column, declared)
    except BadType as bad:
        raise BadType((*path, *bad.path), bad.message, bad.remedy) from None


_NESTED: dict[str, Callable[[PropertyBase], str]] = {
    "array": _list, "object": _struct, "map": _map, "vector": _vector,
}  # fmt: skip
