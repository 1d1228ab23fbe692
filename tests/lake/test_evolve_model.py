"""Random histories of a contract against a table, held against a model in plain Python: rows by column identity.

The model keeps for every row its values by column id. Whatever the history, the table reads as the model says, now and
at every snapshot there was.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, example, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from dativo_provider.model.stream import Field
from tests.lake.support import Lake, job, settings
from tests.support import requirement

NAMES = [f"c{number}" for number in range(6)]
WIDER = {"int": "long", "float": "double", "decimal(5,2)": "decimal(9,2)"}
STEP = st.tuples(
    st.sampled_from(["add", "remove", "drop", "rename", "widen", "relax", "reorder", "require"]),
    st.integers(0, 100),
    st.sampled_from(["int", "string", "float", "decimal(5,2)", "struct<a:int>"]),
)


@dataclass
class Model:
    """The contract as it stands, and every row ever published by the ids of its columns."""

    fields: list[Field] = field(default_factory=lambda: [Field("id", "long", required=True)])
    ids: dict[str, int] = field(default_factory=lambda: {"id": 0})
    table: dict[str, int] = field(default_factory=lambda: {"id": 0})  # columns the table has, by name
    used: set[str] = field(default_factory=lambda: {"id"})
    rows: list[dict[int, Any]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def free(self) -> str | None:
        return next((name for name in (*NAMES, *(f"d{n}" for n in range(20))) if name not in self.used), None)

    def change(self, kind: str, at: int, type_: str) -> None:
        others = [each for each in self.fields if each.name != "id"]
        chosen = others[at % len(others)] if others else None
        if kind == "add" and (name := self.free()):
            self._new(Field(name, type_, required=at % 3 == 0))
        elif chosen is not None:
            getattr(self, f"_{kind}")(chosen, at)

    def _new(self, column: Field) -> None:
        self.fields.append(column)
        self.used.add(column.name)
        self.ids[column.name] = len(self.used)

    def _remove(self, column: Field, _: int) -> None:
        self.fields.remove(column)

    def _drop(self, column: Field, _: int) -> None:
        self.fields.remove(column)
        self.dropped.append(column.name)

    def _rename(self, column: Field, _: int) -> None:
        if name := self.free():
            self.used.add(name)
            self.ids[name] = self.ids[column.name]
            self._put(column, replace(column, name=name, renamed_from=(column.name, *column.renamed_from)))

    def _widen(self, column: Field, _: int) -> None:
        wider = column.type.replace("a:int", "a:long,b:string") if "<" in column.type else WIDER.get(column.type)
        self._put(column, replace(column, type=wider or column.type))

    def _relax(self, column: Field, _: int) -> None:
        self._put(column, replace(column, required=False))

    def _require(self, column: Field, _: int) -> None:
        self._put(column, replace(column, required=True))

    def _reorder(self, column: Field, at: int) -> None:
        self.fields.remove(column)
        self.fields.insert(at % (len(self.fields) + 1), column)

    def _put(self, old: Field, new: Field) -> None:
        self.fields[self.fields.index(old)] = new

    def row(self, number: int) -> dict[str, Any]:
        return {each.name: number if each.name == "id" else _value(each.type, number) for each in self.fields}

    def publish(self, row: dict[str, Any]) -> None:
        """What happened to a column between two runs is seen as its contract stands at the second."""
        wanted = {self.ids[each.name]: each.name for each in self.fields}
        left = {name: key for name, key in self.table.items() if name not in self.dropped and key not in wanted}
        self.table = left | {name: key for key, name in wanted.items()}
        self.rows.append({self.ids[name]: value for name, value in row.items()})

    def reads(self) -> list[dict[str, Any]]:
        types = {each.name: each.type for each in self.fields}
        return [
            {name: _as_read(row.get(key), types.get(name, "")) for name, key in self.table.items()} for row in self.rows
        ]


def _value(kind: str, number: int) -> Any:
    if kind.startswith("struct"):
        return {"a": number} if kind == "struct<a:int>" else {"a": 2**40 + number, "b": f"b{number}"}
    if kind == "string":
        return f"s{number}"
    return number + (2**40 if kind == "long" else 0)


def _as_read(value: Any, kind: str) -> Any:
    """Rows of before a part was added hold NULL in it."""
    return {"b": None, **value} if isinstance(value, dict) and "b:" in kind else value


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {k: v for k, v in value.items() if v is not None} if isinstance(value, dict) else value
        for name, value in row.items()
    }


def _rows(lake: Lake, **scan: Any) -> list[dict[str, Any]]:
    found = lake.target.table(lake.name()).scan(**scan).to_arrow().to_pylist()
    return sorted(map(_plain, found), key=lambda row: row["id"])


@requirement("ING-20", "DQ-03")
@budget(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@example([[("add", 0, "int"), ("remove", 0, "int")]])
@example([[("add", 0, "int")], [("rename", 0, "int"), ("remove", 0, "int")]])
@example([[("add", 0, "int")], [("rename", 0, "int"), ("drop", 0, "int")]])
@given(st.lists(st.lists(STEP, min_size=1, max_size=3), min_size=1, max_size=5))
def test_a_table_reads_as_the_model_whatever_its_contract_went_through(history: list[list[Any]]) -> None:
    with TemporaryDirectory() as home:
        model, past = Model(), []
        for number, steps in enumerate([[], *history]):
            for kind, at, type_ in steps:
                model.change(kind, at, type_)
            lake = _lake(Path(home), model)
            lake.run([row := model.row(number)])
            model.publish(row)
            assert _rows(lake) == list(map(_plain, model.reads())), model.fields
            assert lake.target.changes(lake.job, lake.spec, lake.fields) == ()  # once is enough
            past.append((lake.target.table(lake.name()).current_snapshot().snapshot_id, _rows(lake)))
        for snapshot, rows in past:
            assert _rows(lake, snapshot_id=snapshot) == rows


def _lake(home: Path, model: Model) -> Lake:
    base = job(key=())
    contract = replace(base.streams[0].contract, dropped=tuple(model.dropped))
    made = replace(base, streams=(replace(base.streams[0], contract=contract),))
    return Lake(settings(home), made, tuple(model.fields))
