"""What an organization says of its objects: their fields, as far as this user may see them.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dativo_provider.connectors.rest.spec import Column, Incremental
from dativo_provider.connectors.rest.spec import Stream as Spec

__all__ = ["CURSORS", "SObject", "sobject"]

# The moment of the last change; those without one are never changed, or tell nothing.
CURSORS = ("SystemModstamp", "LastModifiedDate", "CreatedDate", "LoginTime")
_BIN = 15 * 86_400  # seconds that deleted records stay in the recycle bin
_NO_VALUE = frozenset({"base64", "address", "location", "complexvalue"})  # read apart, or by the fields of their parts
_PLAIN = {"boolean": "boolean", "int": "long", "long": "long", "date": "date", "datetime": "timestamptz"}
_NUMBERS = frozenset({"double", "currency", "percent"})
_PERSONAL = frozenset({"email", "phone", "textarea", "encryptedstring"})  # free text among them


@dataclass(frozen=True)
class SObject:
    """`formulas` change without a trace; `without_value` are fields that no column is made of."""

    name: str
    spec: Spec
    formulas: tuple[str, ...]
    without_value: tuple[str, ...]

    @property
    def cursor(self) -> str:
        return self.spec.incremental.cursor if self.spec.incremental else ""

    @property
    def tells_deletions(self) -> bool:
        return bool(self.spec.deleted)


def sobject(told: Mapping[str, Any], known: Spec | None) -> SObject:
    """`told` is the answer of describe; `known` has better descriptions of standard fields, and comes first."""
    fields = {each["name"]: each for each in told["fields"] if not each.get("deprecatedAndHidden")}
    ours = dict(known.columns) if known else {}
    readable = {name: each for name, each in fields.items() if each["type"] not in _NO_VALUE}
    names = [*(name for name in ours if name in readable), *(name for name in readable if name not in ours)]
    columns = {name: _column(readable[name], ours.get(name)) for name in names}
    for name in names:
        columns |= {kind: each for kind, each in _kinds(readable[name]).items() if kind not in columns}
    spec = Spec(
        description=(known.description if known else "") or str(told.get("label") or told["name"]),
        permission=known.permission if known else f"API Enabled; Read on {told['name']} with View All, and its fields",
        key=["Id"], columns=columns, incremental=_increment(readable),
        deleted={"IsDeleted": True} if "IsDeleted" in readable else {},
    )  # fmt: skip
    formulas = tuple(name for name in names if readable[name].get("calculated"))
    return SObject(told["name"], spec, formulas, tuple(name for name in fields if name not in readable))


def _increment(fields: Mapping[str, Any]) -> Incremental | None:
    cursor = next((name for name in CURSORS if name in fields), "")
    kept = _BIN if "IsDeleted" in fields else None
    return Incremental(cursor=cursor, precision="second", bounded=True, kept=kept) if cursor else None


def _column(field: Mapping[str, Any], known: Column | None) -> Column:
    kind = _type(field)
    if known and known.type == "double" and field["type"] in _NUMBERS:
        kind = "double"
    personal = "pii" if field["type"] in _PERSONAL else ""
    return Column(
        type=kind, description=(known.description if known else "") or _label(field), required=field["name"] == "Id",
        classification=known.classification if known else personal,
    )  # fmt: skip


def _label(field: Mapping[str, Any]) -> str:
    label = str(field.get("label") or "")
    return "" if label.replace(" ", "") == field["name"] else label


def _type(field: Mapping[str, Any]) -> str:
    kind = field["type"]
    if kind not in _NUMBERS:
        return _PLAIN.get(kind, "string")
    precision, scale = int(field.get("precision") or 0), int(field.get("scale") or 0)
    return f"decimal({precision},{scale})" if 0 < precision <= 38 and scale <= precision else "double"


def _kinds(field: Mapping[str, Any]) -> dict[str, Column]:
    """A reference to several objects has a column that says to which: `WhoId` one `WhoType`."""
    relation = field.get("relationshipName")
    if not relation or len(field.get("referenceTo") or ()) < 2:
        return {}
    return {f"{relation}Type": Column(path=f"{relation}.Type", description=f"object that {field['name']} points to")}
