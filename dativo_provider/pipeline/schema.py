"""Holds the contract (without one, the table) against the source before a row is read, and decides what follows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from dativo_provider.errors import DataError
from dativo_provider.model.job import JobSpec, StreamSpec, TransformSpec
from dativo_provider.model.matching import match_names, unmatched
from dativo_provider.model.schema import ColumnDrift
from dativo_provider.model.stream import Field, Stream
from dativo_provider.model.types import split_nested
from dativo_provider.model.widening import holds, members, stored, struct_of, wider
from dativo_provider.vocabulary import SchemaChange, SchemaPolicy, SchemaValidation

__all__ = ["Decided", "cast_fields", "complete", "decide", "default_policy", "judged_by", "nested_policy", "typed"]

_VALUES: dict[SchemaPolicy, SchemaValidation] = {"discard_row": "quarantine", "discard_value": "warn"}
_ADD_IT = "add it to the contract, with its classification"


@dataclass(frozen=True)
class Decided:
    """The columns of the run before transformations, and how source and contract differ."""

    fields: tuple[Field, ...]
    drift: tuple[ColumnDrift, ...]


def decide(job: JobSpec, spec: StreamSpec, described: Stream, known: Sequence[Field] | None) -> Decided:
    """`known` are the columns the table has. Raises `DataError` for a change that a policy freezes, naming the line of
    the contract, and for a required column the source lacks and no transformation makes."""
    return _Decision(job, spec, described, {each.name: each for each in known or ()}).decided()


def default_policy(job: JobSpec, spec: StreamSpec, change: SchemaChange) -> SchemaPolicy:
    """Where nothing is written: a contract is kept to, and without one the table follows the source."""
    if change == "new_column":
        return "discard_value" if spec.contract.fields else "evolve"
    if change == "other_type" and spec.contract.fields:
        return "discard_value" if job.schema_validation == "warn" else "discard_row"
    return "evolve"


@dataclass
class _Decision:
    job: JobSpec
    spec: StreamSpec
    described: Stream
    known: dict[str, Field]
    drift: list[ColumnDrift] = field(default_factory=list)
    refused: list[ColumnDrift] = field(default_factory=list)

    def decided(self) -> Decided:
        made = {transform.column for transform in self.job.transforms}
        expected, source = self._expected(made), self.described.fields
        names = [each.name for each in source]
        places = match_names(expected, names)
        self._require(expected, places, made)
        fields = []
        for item, place in zip(expected, places, strict=True):
            if place is not None:
                fields.append(self._typed(item, source[place]))
            elif item.name in made or self._kept(item):
                fields.append(item)
        new = [source[place] for place in unmatched(expected, names) if source[place].name not in made]
        fields += [added for each in new if (added := self._added(each, names))]
        self._refuse()
        return Decided(tuple(fields), tuple(self.drift))

    def _expected(self, made: set[str]) -> Sequence[Field]:
        """The contract's columns, the table's own wider type where types may follow the source."""
        if self.spec.contract.fields:
            return [self._widened(item) for item in self.spec.contract.fields]
        if not self.known:
            return self.described.fields
        return [item for item in self.known.values() if item.name not in made]

    def _widened(self, item: Field) -> Field:
        have = self.known.get(item.name)
        if have is None or self._policy("other_type", item.name) != "evolve":
            return item
        both = wider(item.type, have.type)
        return item if both is None else replace(item, type=both)

    def _require(self, expected: Sequence[Field], places: Sequence[int | None], made: set[str]) -> None:
        lost = [
            item
            for item, place in zip(expected, places, strict=True)
            if place is None and item.required and item.name not in made and self.spec.contract.fields
        ]
        if not lost:
            return
        has, names = [each.name for each in self.described.fields], [item.name for item in lost]
        hints = [f"did you mean '{near[0]}'?" for name in names if (near := _near(name, has))]
        raise DataError(
            f"{self.spec.object} has no column {', '.join(names)}, which the contract requires (has: {', '.join(has)})",
            where=lost[0].declared_in or self.spec.contract.path or self.spec.name,
            remedy=" ".join(hints) or "add the column to the source, or make it optional in the contract",
        )

    def _kept(self, item: Field) -> bool:
        """Whether a column that the source lacks is written all the same, as NULL."""
        self._found(item.name, "missing_column", item.type, "", item.declared_in, "remove it from the contract")
        return bool(self.spec.contract.fields)

    def _typed(self, item: Field, source: Field) -> Field:
        if item.infer and split_nested(source.type):  # nothing to infer: the source knows
            item = replace(item, type=source.type, infer=False)
        path = _Path(item.name, item.declared_in)
        required = item.required and (source.required or bool(self.spec.contract.fields))
        if not self.spec.contract.fields:  # a table does not say who is a person
            item = replace(item, classification=source.classification)
        return replace(item, type=self._type(path, item.type, source.type), required=required)

    def _type(self, path: _Path, kind: str, source: str) -> str:
        """`kind`, or what it becomes for values of `source`."""
        one, other = split_nested(kind), split_nested(source)
        if one and other and one[0] == other[0] and (one[0] != "map" or holds(one[1][0], other[1][0])):
            return self._nested(path, one[0], one[1], other[1])
        if holds(kind, source) or source == "string":  # text is judged value by value
            return kind
        both = wider(kind, source)
        advice = f"declare {both}" if both else f"declare {source}, or convert the column in the source"
        policy = self._found(path.name, "other_type", kind, source, path.where, advice)
        return both if both and policy == "evolve" else kind

    def _nested(self, path: _Path, kind: str, one: list[str], other: list[str]) -> str:
        if kind != "struct":
            part = path.part("element" if kind == "list" else "value")
            return f"{kind}<{','.join([*one[:-1], self._type(part, one[-1], other[-1])])}>"
        have, given = members(one), members(other)
        both = {name: self._type(path.part(name), inner, given.get(name, inner)) for name, inner in have.items()}
        for name, inner in given.items():
            part = path.part(name)
            if name not in have and self._found(part.name, "new_column", "", inner, path.where, _ADD_IT) == "evolve":
                both[name] = inner
        return struct_of(both)

    def _added(self, source: Field, names: Sequence[str]) -> Field | None:
        """A column the contract does not know; None when it is not written."""
        where = self.spec.contract.declared_in or self.spec.contract.path
        policy = self._found(source.name, "new_column", "", stored(source.type), where, _ADD_IT)
        if policy != "evolve":
            return None
        if names.count(source.name) > 1:
            raise DataError(
                f"the source has {names.count(source.name)} columns named '{source.name}'", where=self.spec.object,
                remedy="rename or leave out one of them, or set schema_policy.new_column: discard_value",
            )  # fmt: skip
        have = self.known.get(source.name)
        kind = self._type(_Path(source.name, where), have.type, source.type) if have else source.type
        return replace(source, type=kind, required=False)

    def _found(
        self, column: str, change: SchemaChange, before: str, after: str, where: str, advice: str
    ) -> SchemaPolicy:
        policy = self._policy(change, column)
        found = ColumnDrift(column, change, policy, before, after, where, advice)
        (self.refused if policy == "freeze" else self.drift).append(found)
        return policy

    def _policy(self, change: SchemaChange, column: str) -> SchemaPolicy:
        default = default_policy(self.job, self.spec, change)
        return self.job.schema_policies(self.spec).of(change, column, default)

    def _refuse(self) -> None:
        if not self.refused:
            return
        first = self.refused[0]
        raise DataError(
            f"the schema of {self.spec.object} changed, which its policy (freeze) forbids: "
            + "; ".join(_sentence(each) for each in self.refused),
            where=first.where or self.spec.name,
            remedy=f"{first.advice}, or set schema_policy to evolve, discard_value or discard_row; nothing was read",
        )


@dataclass(frozen=True)
class _Path:
    name: str
    where: str

    def part(self, name: str) -> _Path:
        return replace(self, name=f"{self.name}.{name}")


def _sentence(each: ColumnDrift) -> str:
    place = f" [{each.where}]" if each.where else ""
    if each.change == "new_column":
        return f"column '{each.column}' ({each.after}) is new{place}"
    if each.change == "missing_column":
        return f"column '{each.column}' is gone from the source{place}"
    return f"column '{each.column}' is {each.after} in the source, not {each.before}{place}"


def judged_by(job: JobSpec, spec: StreamSpec, fields: Sequence[Field]) -> dict[str, SchemaValidation]:
    """How values that do not fit their column are judged, where a policy says otherwise than the job."""
    policies, found = job.schema_policies(spec), {}
    for each in fields:
        if modes := _VALUES.get(policies.of("other_type", each.name, "evolve")):
            found[each.name] = modes
        if complete(job, spec, each) and policies.of("new_column", each.name, "evolve") == "discard_row":
            found[each.name] = "quarantine"
    return found


def complete(job: JobSpec, spec: StreamSpec, column: Field) -> bool:
    """Whether a nested value with a part that the column does not have does not fit, instead of losing that part."""
    return "struct<" in column.type and nested_policy(job, spec, column) != "discard_value"


def nested_policy(job: JobSpec, spec: StreamSpec, column: Field) -> SchemaPolicy:
    """What happens to a part the column does not have; one whose type is inferred follows the source by nature."""
    default = "evolve" if column.infer else default_policy(job, spec, "new_column")
    return job.schema_policies(spec).of("new_column", column.name, default)


def cast_fields(fields: Sequence[Field], transforms: Sequence[TransformSpec], source: Sequence[Field]) -> list[Field]:
    """The columns a row has before any transformation: all but those only a transformation can make."""
    made, has = {transform.column for transform in transforms}, {each.name.lower() for each in source}
    return [each for each in fields if each.name not in made or each.name.lower() in has]


def typed(transforms: Sequence[TransformSpec], fields: Sequence[Field]) -> tuple[TransformSpec, ...]:
    """The contract's type for every transformation that names none of its own."""
    types = {each.name: each.type for each in fields}
    return tuple(replace(each, type=each.type or types.get(each.column, "")) for each in transforms)


def _near(name: str, names: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(name, list(names), n=1)
