"""Types of JSON columns from a sample of the source, fixed when the run is planned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any

from dativo_provider.model.job import JobSpec, StreamSpec
from dativo_provider.model.matching import match_names
from dativo_provider.model.reader import Reader
from dativo_provider.model.stream import Field, Stream, Window
from dativo_provider.model.widening import extended
from dativo_provider.pipeline.schema import nested_policy

__all__ = ["with_sampled_types"]

SAMPLE_ROWS = 2000
_BATCHES = 8


def with_sampled_types(
    fields: Sequence[Field],
    job: JobSpec,
    spec: StreamSpec,
    described: Stream,
    known: Sequence[Field],
    window: Window,
    reader: Reader,
) -> tuple[Field, ...]:
    """`fields` with the parts that JSON columns have in the first rows of the window.

    A column to be inferred of which nothing is known yet, neither from rows nor from the table, is left out of the run.
    """
    texts = {each.name for each in described.fields if each.type == "string" or each.source_type == "text"}
    asked = [item for item in fields if _sampled(item, job, spec) and (item.infer or item.name in texts)]
    if not asked:
        return tuple(fields)
    found = _proposals(asked, spec, window, reader)
    have = {each.name: each.type for each in known}
    settled = {item.name: _settled(item, have.get(item.name), found.get(item.name)) for item in asked}
    return tuple(
        replace(item, type=settled.get(item.name) or item.type)
        for item in fields
        if item.name not in settled or settled[item.name]
    )


def _sampled(item: Field, job: JobSpec, spec: StreamSpec) -> bool:
    return item.infer or ("struct<" in item.type and nested_policy(job, spec, item) == "evolve")


def _settled(item: Field, have: str | None, proposed: str | None) -> str | None:
    """What the table or the contract has, with the parts of the sample."""
    base = have if item.infer else item.type
    return extended(base, proposed) if base and proposed else base or proposed


def _proposals(asked: Sequence[Field], spec: StreamSpec, window: Window, reader: Reader) -> dict[str, str | None]:
    from dativo_provider.transform.proposal import proposed_type

    columns = _sample(asked, spec, window, reader)
    return {name: proposed_type(values) for name, values in columns.items()}


def _sample(asked: Sequence[Field], spec: StreamSpec, window: Window, reader: Reader) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {item.name: [] for item in asked}
    if window.kind == "empty" or not (pieces := reader.slices(spec, window, 1)):
        return values
    rows: Any = reader.read(spec, replace(pieces[0], as_text=tuple(values)))
    with closing(rows):
        left = SAMPLE_ROWS
        for batch in islice(rows, _BATCHES):
            part = batch.data.slice(0, left)
            left -= part.num_rows
            for item, place in zip(asked, match_names(asked, part.schema.names), strict=True):
                values[item.name] += [] if place is None else _texts(part.column(place).to_pylist())
            if left <= 0:
                break
    return values


def _texts(found: Iterable[Any]) -> list[str]:
    return [value for value in found if isinstance(value, str)]
