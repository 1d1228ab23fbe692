"""SodaCL, the check language of Soda 3: `row_count > 0`, `missing_count(email) = 0`, `schema:` with alerts, …

It is evaluated here; no release of Soda that reads it installs beside today's libraries. What has no equal says so.
https://docs.soda.io/soda-cl-overview
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dativo_provider.model.checks import Rule
from dativo_provider.quality.frontends import sodacl_schema
from dativo_provider.quality.frontends.base import Contract, Draft, refuse
from dativo_provider.quality.frontends.soda_validity import absent, invalid, missing
from dativo_provider.quality.frontends.sodacl_formats import FORMATS
from dativo_provider.quality.frontends.sodacl_grammar import Line, condition, line
from dativo_provider.quality.frontends.sqltext import all_of, over_rows
from dativo_provider.quality.frontends.thresholds import Threshold, Unit
from dativo_provider.sql.names import quoted

__all__ = ["METRICS", "compile_rule", "is_schema", "understands"]

_KEPT = ("name", "id", "severity", "on_violation", "description", "dimension")
_LEVELS = {"warn": "warning", "fail": "error"}
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "min": 60, "s": 1}
_EXISTS = re.compile(
    r"^values\s+in\s+\(?(?P<own>[^()]+?)\)?\s+must\s+(?P<no>not\s+)?exist\s+in\s+(?P<table>[\w.\"]+)\s*\((?P<to>[^()]+)\)$",
    re.IGNORECASE,
)
_ANOMALY = re.compile(r"^anomaly\s+(?:detection|score)\s+for\s+(?P<metric>.+?)(?:\s*<\s*default)?$", re.IGNORECASE)
_STORED = {
    "row_count": "rows", "avg": "mean", "sum": "sum", "min": "min", "max": "max", "stddev": "stddev",
    "min_length": "min_length", "max_length": "max_length",
}  # fmt: skip
Made = Iterator[Draft]


@dataclass(frozen=True)
class ClCheck:
    rule: Rule
    contract: Contract
    text: str
    options: Mapping[str, Any]  # keys below the line, with underscores

    def column(self, name: str) -> str:
        return self.contract.column(name, self.rule).name

    @property
    def where(self) -> str:
        """The block's filter and the check's."""
        return all_of(str(part) for part in (self.rule.body.get("filter"), self.options.get("filter")) if part)


def is_schema(body: Any) -> bool:
    """Whether a `schema:` is SodaCL's."""
    return isinstance(body, Mapping) and bool(body.keys() & _LEVELS.keys())


def understands(word: str, body: Any) -> bool:
    text = word.strip()
    if text in ("schema", "failed rows") or _EXISTS.match(text) or _ANOMALY.match(text):
        return True
    if re.match(r"^(distribution_difference|reconciliation|group by|for each|user defined)\b", text):
        return True
    found = line(text)
    return found is not None and (found.metric in METRICS or _defines_metric(found, body))


def compile_rule(rule: Rule, contract: Contract) -> Made:
    word = next(key for key in rule.body if key not in ("filter", "dataset", "engine", *_KEPT))
    given = rule.body[word]
    options = {str(key).replace(" ", "_"): value for key, value in given.items()} if isinstance(given, Mapping) else {}
    check = ClCheck(rule, contract, str(word).strip(), options)
    for draft in _drafts(check):
        yield replace(draft, said={**_said(check), **(draft.said or {})})


def _said(check: ClCheck) -> dict[str, Any]:
    given = {**check.rule.body, **check.options}
    said = {key: given[key] for key in _KEPT if given.get(key)}
    return {**({"name": check.text} if len(check.text) < 80 else {}), **said} | (
        {"where": check.where} if check.where else {}
    )


def _drafts(check: ClCheck) -> Made:
    if check.text == "schema":
        yield from sodacl_schema.drafts(check.options, check.contract, check.rule)
    elif check.text == "failed rows":
        yield from _failed_rows(check)
    elif match := _EXISTS.match(check.text):
        yield from _reference(check, match)
    elif match := _ANOMALY.match(check.text):
        yield _of_history(check, line(match["metric"]), Draft("anomaly"))
    elif (found := line(check.text)) and (found.metric in METRICS or _defines_metric(found, check.options)):
        yield from _line(check, found)
    else:
        yield _unknown(check)


def _unknown(check: ClCheck) -> Draft:
    reason = f"the SodaCL check '{check.text}' has no equal here, and Soda 4 does not read SodaCL"
    return Draft("custom", engine="soda", not_evaluated=reason, label="sodacl")


def _of_history(check: ClCheck, found: Line | None, draft: Draft) -> Draft:
    """The metric by the name its history is kept under."""
    word = _STORED.get(found.metric) if found else None
    if found is None or word is None or (word == "rows") == bool(found.arguments):
        return _unknown(check)
    metric = f"{word}({_one(check, found)})" if found.arguments else word
    return replace(draft, params={"metric": metric})


def _line(check: ClCheck, found: Line) -> Made:
    for allowed, unit, severity in _decisions(check, found):
        said = {"severity": severity} if severity else {}
        if found.change:
            drafts = _change(check, found, allowed, unit)
        elif found.metric in METRICS:
            drafts = METRICS[found.metric](check, found, allowed, unit)
        else:
            drafts = _defined(check, found, allowed)
        for draft in drafts:
            yield replace(draft, said={**said, **(draft.said or {})})


def _decisions(check: ClCheck, found: Line) -> Iterator[tuple[Threshold, str, str]]:
    """(what must hold, unit of a duration, severity) from the line, or from the alerts below it."""
    for allowed in found.allowed:
        yield allowed, found.unit, ""
    alerts = [(severity, check.options[word]) for word, severity in _LEVELS.items() if word in check.options]
    if not found.allowed and not alerts:
        refuse(check.rule, f"'{check.text}' has no threshold", "add one, such as > 0, or warn: when < 5")
    for severity, text in alerts if not found.allowed else ():
        held = condition(str(text))
        if held is None:
            refuse(check.rule, f"'{text}' is no alert", "write when < 5")
        yield held[0][0], held[1], severity


def _change(check: ClCheck, found: Line, allowed: Threshold, unit: str) -> Made:
    """Against the last accepted run. A change in absolute numbers has no equal."""
    if not (found.percent or unit == "%"):
        yield replace(_unknown(check), not_evaluated="a change is judged in percent: write < 10%")
        return
    yield _of_history(check, found, Draft("change", allowed=allowed))


def _row_count(_: ClCheck, __: Line, allowed: Threshold, ___: str) -> Made:
    yield Draft("row_count", allowed=allowed)


def _one(check: ClCheck, found: Line) -> str:
    if not found.arguments:
        refuse(check.rule, f"{found.metric} needs a column", f"write {found.metric}(COLUMN)")
    return check.column(found.arguments[0])


def _unit(found: Line) -> Unit:
    return "percent" if found.metric.endswith("_percent") else "rows"


def _counted(draft: Draft, allowed: Threshold) -> Draft:
    return replace(draft, allowed=None if allowed.zero else allowed)


def _missing(check: ClCheck, found: Line, allowed: Threshold, _: str) -> Made:
    draft = missing(check.rule, _one(check, found), _validity(check))
    yield _counted(draft, replace(allowed, unit=_unit(found)))


def _invalid(check: ClCheck, found: Line, allowed: Threshold, _: str) -> Made:
    draft = invalid(check.rule, _one(check, found), _validity(check))
    yield _counted(draft, replace(allowed, unit=_unit(found)))


def _valid(check: ClCheck, found: Line, allowed: Threshold, _: str) -> Made:
    """The number of valid values, by a query: what fails is not a row."""
    column, body = _one(check, found), _validity(check)
    draft = invalid(check.rule, column, body)
    fits = _as_sql(check, draft, column, body)
    value = f"count(*) FILTER (WHERE NOT ({absent(check.rule, column, body)}) AND ({fits}))"
    value = f"100.0 * {value} / nullif(count(*), 0)" if _unit(found) == "percent" else value
    yield Draft("sql", (column,), {"query": f"SELECT {value} FROM {{object}}"}, allowed, label=found.metric)


def _as_sql(check: ClCheck, draft: Draft, column: str, body: Mapping[str, Any]) -> str:
    if draft.kind == "condition":
        return str(draft.params["expression"])
    again = invalid(check.rule, column, {**body, "missing_format": {"regex": "^$a"}})
    return str(again.params["expression"])


def _validity(check: ClCheck) -> dict[str, Any]:
    """SodaCL's keys in the words of Soda 4: formats by name, one regular expression, bounds."""
    given = dict(check.options)
    for ours, regex, name in (
        ("valid_format", "valid_regex", "valid_format"),
        ("missing_format", "missing_regex", "missing_format"),
        ("invalid_format", "invalid_regex", "invalid_format"),
    ):
        if pattern := given.pop(regex, None):
            given[ours] = {"regex": pattern}
        elif word := given.pop(name, None):
            given[ours] = {"regex": _format(check, str(word))}
    return given


def _format(check: ClCheck, word: str) -> str:
    if word not in FORMATS:
        refuse(check.rule, f"format '{word}' is unknown", f"use one of {', '.join(FORMATS)}, or valid regex")
    return FORMATS[word]


def _duplicates(check: ClCheck, found: Line, allowed: Threshold, _: str) -> Made:
    """Soda 3 counts the values that repeat, not the rows; that differs where some may."""
    columns = tuple(check.column(name) for name in found.arguments)
    if not columns:
        refuse(check.rule, f"{found.metric} needs a column", f"write {found.metric}(COLUMN)")
    if allowed.zero:
        yield Draft("uniqueness", columns, label="unique")
        return
    keys = ", ".join(map(quoted, columns))
    present = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in columns)
    groups = f"SELECT count(*) AS n FROM {{object}} WHERE {present} GROUP BY {keys}"
    value = "count(*) FILTER (WHERE n > 1)"
    value = f"coalesce(100.0 * {value} / nullif(sum(n), 0), 0)" if _unit(found) == "percent" else value
    yield Draft("sql", columns, {"query": f"SELECT {value} FROM ({groups})"}, allowed, label="duplicates")


def _aggregate(function: str) -> Callable[[ClCheck, Line, Threshold, str], Made]:
    def made(check: ClCheck, found: Line, allowed: Threshold, _: str) -> Made:
        yield Draft("aggregate", (_one(check, found),), {"function": function}, allowed, label=found.metric)

    return made


def _percentile(check: ClCheck, found: Line, allowed: Threshold, _: str) -> Made:
    try:
        share = float(found.arguments[1])
    except (IndexError, ValueError):
        refuse(check.rule, "percentile needs a column and a share", "write percentile(amount, 0.95)")
    column = _one(check, found)
    query = f"SELECT quantile_disc({quoted(column)}, {share}) FROM {{object}}"
    yield Draft("sql", (column,), {"query": query}, allowed, label=f"percentile_{round(100 * share)}")


def _freshness(check: ClCheck, found: Line, allowed: Threshold, unit: str) -> Made:
    """`freshness(ts) < 1d`."""
    if allowed.op not in ("mustBeLessThan", "mustBeLessOrEqualTo"):
        refuse(check.rule, "freshness has no upper bound", "write freshness(COLUMN) < 1d")
    if unit not in _SECONDS:
        refuse(check.rule, f"'{unit}' is no unit of time", "write d, h, m or s, such as 1d")
    column = _one(check, found)
    zone = check.contract.column(column, check.rule).timezone
    params = {"max_age_seconds": allowed.value * _SECONDS[unit], **({"timezone": zone} if zone != "UTC" else {})}
    yield Draft("freshness", (column,), params)


def _defines_metric(found: Line, body: Any) -> bool:
    """`my_metric > 5: {my_metric expression: …}`, or `… query`."""
    keys = body.keys() if isinstance(body, Mapping) else ()
    words = {str(key).lower().replace(" ", "_") for key in keys}
    return bool(words & {f"{found.metric}_expression", f"{found.metric}_query"})


def _defined(check: ClCheck, found: Line, allowed: Threshold) -> Made:
    expression = check.options.get(f"{found.metric}_expression")
    query = f"SELECT {expression} FROM {{object}}" if expression else str(check.options[f"{found.metric}_query"])
    yield Draft("sql", (), {"query": over_rows(_own_table(check, query))}, allowed, label=found.metric)


def _failed_rows(check: ClCheck) -> Made:
    if expression := check.options.get("fail_condition"):
        yield Draft("condition", (), {"expression": f"NOT coalesce(({expression}), FALSE)"}, label="failed_rows")
    elif query := check.options.get("fail_query"):
        yield Draft("failed_rows", (), {"query": over_rows(_own_table(check, str(query)))}, Threshold("mustBe", 0))
    else:
        refuse(check.rule, "failed rows need 'fail condition' or 'fail query'", "add fail condition: amount < 0")


def _own_table(check: ClCheck, query: str) -> str:
    dataset = str(check.rule.body.get("dataset") or "")
    if not dataset:
        return query
    named = rf'\b(from|join)\s+(?:"?\w+"?\.)*"?{re.escape(dataset)}"?(?!\w)'
    return re.sub(named, r"\1 {object}", query, flags=re.IGNORECASE)


def _reference(check: ClCheck, match: re.Match[str]) -> Made:
    if match["no"]:
        yield _unknown(check)
        return
    columns = tuple(check.column(name.strip()) for name in match["own"].split(","))
    to = [name.strip() for name in match["to"].split(",")]
    if len(to) != len(columns):
        refuse(check.rule, "both lists must name as many columns")
    yield Draft("reference", columns, {"table": match["table"].strip('"'), "to": to})


METRICS: dict[str, Callable[[ClCheck, Line, Threshold, str], Made]] = {
    "row_count": _row_count,
    "missing_count": _missing,
    "missing_percent": _missing,
    "invalid_count": _invalid,
    "invalid_percent": _invalid,
    "valid_count": _valid,
    "valid_percent": _valid,
    "duplicate_count": _duplicates,
    "duplicate_percent": _duplicates,
    "avg": _aggregate("avg"),
    "sum": _aggregate("sum"),
    "min": _aggregate("min"),
    "max": _aggregate("max"),
    "stddev": _aggregate("stddev"),
    "stddev_samp": _aggregate("stddev"),
    "stddev_pop": _aggregate("stddev_pop"),
    "variance": _aggregate("variance"),
    "var_samp": _aggregate("variance"),
    "var_pop": _aggregate("var_pop"),
    "distinct_count": _aggregate("distinct_count"),
    "avg_length": _aggregate("avg_length"),
    "min_length": _aggregate("min_length"),
    "max_length": _aggregate("max_length"),
    "percentile": _percentile,
    "freshness": _freshness,
}
