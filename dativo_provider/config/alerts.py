"""`alert_rules:` of a job, their names looked up before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dativo_provider.config.conditions import FUNCTIONS, ROWS, parse_condition, resolve
from dativo_provider.config.making import Making
from dativo_provider.config.notifications import TYPES, Channels
from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.shapes.job import AlertRule
from dativo_provider.config.yamlpos import Key
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.alerts import AlertSpec
from dativo_provider.model.job import StreamSpec, TransformSpec
from dativo_provider.model.notices import ChannelSpec

__all__ = ["alerts"]

_NOT_NUMBERS = ("string", "boolean", "date", "time", "timestamp", "uuid", "binary", "struct", "list", "map")


def alerts(
    making: Making, channels: Channels, streams: Sequence[StreamSpec], made: Sequence[TransformSpec]
) -> tuple[AlertSpec, ...]:
    """`made` are the job's transformations: their columns may be named too."""
    found = []
    seen: set[str] = set()
    for number, rule in enumerate(making.job.alert_rules):
        keys: tuple[Key, ...] = ("alert_rules", number)
        if rule.name in seen:
            making.error((*keys, "name"), f"two alert rules are called '{rule.name}'", "rename one of them")
        seen.add(rule.name)
        _check(making, rule, keys, streams, made)
        path, line, column = making.at.spot(keys)
        found.append(
            AlertSpec(
                name=rule.name,
                condition=rule.condition,
                channels=tuple(_channels(making, channels, rule, keys)),
                severity=rule.severity,
                window_seconds=rule.window,
                description=rule.description,
                declared_in=f"{path}:{line}:{column}",
            )
        )
    return tuple(found)


def _check(
    making: Making, rule: AlertRule, keys: tuple[Key, ...], streams: Sequence[StreamSpec], made: Sequence[TransformSpec]
) -> None:
    """In some stream every name must be known, unless only the source knows the columns of one."""
    try:
        names = parse_condition(rule.condition).names
    except ConfigurationError as error:
        making.error((*keys, "condition"), error.message, error.remedy)
        return
    if not all(stream.contract.fields for stream in streams):
        return
    kinds = [{**{each.name: each.type for each in stream.contract.fields}, **{each.column: each.type for each in made}}
             for stream in streams]  # fmt: skip
    problems = [_problem(names, columns) for columns in kinds]
    if problems and all(problems):
        making.error((*keys, "condition"), *problems[0])  # type: ignore[misc]


def _problem(names: Sequence[str], columns: dict[str, str]) -> tuple[str, str] | None:
    for name in names:
        term = resolve(name, columns)
        if term is None:
            known = [*columns, *ROWS, *(f"{function}({column})" for function in FUNCTIONS for column in columns)]
            trailing = [f"avg_{each}_7d" for each in (*columns, *ROWS)]
            hint = did_you_mean(name, [*known, *trailing]) or f"columns are: {listed(sorted(columns))}"
            return f"nothing is called '{name}'", hint
        kind = columns.get(term.column, "").partition("(")[0].partition("<")[0]
        if term.function != "count" and kind.startswith(_NOT_NUMBERS):
            return f"'{term.column}' is {kind}, not a number", f"use a number, or count({term.column})"
    return None


def _channels(making: Making, channels: Channels, rule: AlertRule, keys: tuple[Key, ...]) -> Iterator[ChannelSpec]:
    """By `action` (`slack_notification`), else by a `channel` that is declared, else whom violations are told."""
    action = rule.action.removesuffix("_notification").removesuffix("_alert")
    own = not rule.channel.startswith("#") and rule.channel in making.job.notifications
    name = rule.channel if own else action
    if not name:
        making.error(
            keys, f"alert '{rule.name}' is told nobody", f"add `action:`, one of: {listed(TYPES)}", value=False
        )
        return
    found = channels.named(name, (*keys, "channel" if own else "action"))
    if found is None:
        return
    if rule.channel and not own and found.type == "slack":
        found = replace(found, channel=rule.channel)
    yield channels.addressed(found, rule.recipients, keys)
