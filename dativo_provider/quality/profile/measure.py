"""Two passes over the rows: every aggregate in one SELECT, then histograms and the counts of frequent values, which
need to know ranges and candidates. Half as dear as DuckDB's SUMMARIZE, which takes quantiles of everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from dativo_provider.model.personal import is_personal
from dativo_provider.model.stream import Field
from dativo_provider.quality.metrics.base import Scene
from dativo_provider.quality.metrics.query import as_json, one_pass
from dativo_provider.quality.profile.model import ColumnProfile, Histogram, Profile, TopValue
from dativo_provider.quality.profile.sample import sampled
from dativo_provider.quality.profile.terms import QUANTILES, number, of_column, text_of
from dativo_provider.sql.names import quoted

__all__ = ["BINS", "profile"]

BINS = 20
_AT_ONCE = 100  # columns of one SELECT
_HISTOGRAMS_AT_ONCE = 20  # each takes DuckDB some MB

T = TypeVar("T")
Words = Mapping[str, Any]
Ranges = Mapping[str, tuple[float, float]]


def profile(scene: Scene, ranges: Ranges | None = None, share: float = 1.0) -> Profile:
    """Of the rows of `scene`, whose `fields` are known, or of a random `share` of them. `ranges` are the histograms' of
    an earlier profile, to compare with; else each spans its own column. Raises `duckdb.Error`, and what `scene.read`
    raises.
    """
    scene = sampled(scene, share)
    columns: list[ColumnProfile] = []
    rows = 0
    for fields in _lots(scene.fields, _AT_ONCE):
        rows, found = _measured(scene, fields)
        columns += [_column(field, rows, found[field.name]) for field in fields]
    return Profile(rows, tuple(_shaped(scene, columns, ranges or {})), share=share)


def _lots(given: Sequence[T], most: int) -> Iterable[Sequence[T]]:
    return (given[at : at + most] for at in range(0, len(given), most))


def _measured(scene: Scene, fields: Sequence[Field]) -> tuple[int, dict[str, dict[str, Any]]]:
    terms = {
        (field.name, word): sql
        for field in fields
        for word, sql in of_column(field, personal=is_personal(field.classification)).items()
    }
    listed = ["count(*) AS n", *(f"{sql} AS {quoted(f'v{at}')}" for at, sql in enumerate(terms.values()))]
    row = one_pass(scene, [field.name for field in fields], f"SELECT {', '.join(listed)} FROM staged")
    found: dict[str, dict[str, Any]] = {field.name: {} for field in fields}
    for at, (name, word) in enumerate(terms):
        found[name][word] = row.get(f"v{at}")
    return int(row.get("n") or 0), found


def _column(field: Field, rows: int, found: Words) -> ColumnProfile:
    nulls = rows - int(found.get("present") or 0)
    quantiles = found.get("quantiles") or ()
    return ColumnProfile(
        name=field.name,
        type=field.type,
        nulls=nulls,
        null_share=round(nulls / rows, 6) if rows else 0.0,
        distinct=found.get("distinct"),
        personal=is_personal(field.classification),
        min=as_json(found.get("min")),
        max=as_json(found.get("max")),
        mean=_number(found.get("mean")),
        stddev=_number(found.get("stddev")),
        sum=_number(found.get("sum")),
        min_length=found.get("min_length"),
        max_length=found.get("max_length"),
        not_finite=int(found.get("not_finite") or 0),
        quantiles={f"{at:g}": value for at, value in zip(QUANTILES, quantiles, strict=False)},
        top=tuple(TopValue(value, 0) for value in found.get("top") or ()),
    )


def _number(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _shaped(scene: Scene, columns: Sequence[ColumnProfile], ranges: Ranges) -> Iterable[ColumnProfile]:
    """With histograms, and how often each candidate really occurs."""
    fields = {field.name: field for field in scene.fields}
    spans = {column.name: span for column in columns if (span := _span(column, ranges))}
    terms = {name: _bins(fields[name], *span) for name, span in spans.items()}
    terms |= {column.name: _chosen(fields[column.name], column.top) for column in columns if column.top}
    row: dict[str, Any] = {}
    for lot in _lots(list(terms), _HISTOGRAMS_AT_ONCE):
        row |= _second(scene, {name: terms[name] for name in lot})
    for column in columns:
        counts = dict(row.get(column.name) or ())
        if column.name in spans:
            low, high = spans[column.name]
            yield replace(column, histogram=Histogram(low, high, tuple(int(counts.get(n, 0)) for n in range(BINS))))
        else:
            top = sorted((TopValue(each.value, int(counts.get(each.value, 0))) for each in column.top), key=_rarest)
            yield replace(column, top=tuple(each for each in top if each.count > 1))


def _rarest(each: TopValue) -> tuple[int, str]:
    return -each.count, str(each.value)


def _span(column: ColumnProfile, ranges: Ranges) -> tuple[float, float] | None:
    if column.name in ranges or column.mean is None:
        return ranges.get(column.name)
    return float(column.min), float(column.max)


def _second(scene: Scene, terms: Mapping[str, str]) -> dict[str, Any]:
    listed = ", ".join(f"{sql} AS {quoted(name)}" for name, sql in terms.items())
    return one_pass(scene, terms, f"SELECT {listed} FROM staged")


def _bins(column: Field, low: float, high: float) -> str:
    value, width = number(column), (high - low) / BINS
    place = f"floor(({value} - ({low!r})) / {width!r})" if width > 0 and math.isfinite(width) else f"0 * ({value})"
    bins = f"histogram(least(greatest({place}, 0), {BINS - 1})::UTINYINT)"
    return f"{bins} FILTER (WHERE ({value}) IS NOT NULL)"  # greatest() passes over NULL


def _chosen(column: Field, top: Sequence[TopValue]) -> str:
    told = [str(each.value).replace("'", "''") for each in top if "\0" not in str(each.value)]
    values = ", ".join(f"'{value}'" for value in told) or "NULL"
    return f"histogram({text_of(column)}) FILTER (WHERE {text_of(column)} IN ({values}))"
