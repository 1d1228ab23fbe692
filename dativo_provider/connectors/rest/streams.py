"""A spec's stream as the engine sees it: typed fields, a key, the columns a job reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.connectors.rest.arrow import Reading
from dativo_provider.connectors.rest.fields import path_of
from dativo_provider.connectors.rest.spec import Api, Column
from dativo_provider.connectors.rest.spec import Stream as Spec
from dativo_provider.errors import ConfigurationError, SourceChanged
from dativo_provider.model.job import StreamSpec
from dativo_provider.model.stream import Field, Stream

__all__ = ["described", "discovered", "readings", "spec_of"]


def spec_of(api: Api, stream: StreamSpec) -> tuple[str, Spec]:
    """The spec's stream that a job's stream reads, as rows or documents.

    Raises `ConfigurationError` with the nearest name.
    """
    for name in (stream.object, stream.name):
        if name in api.streams:
            found = api.streams[name]
            return name, found.as_documents() if stream.documents and found.document else found
    hint = did_you_mean(stream.object or stream.name, api.streams) or f"there are: {listed(api.streams)}"
    raise ConfigurationError(f"'{api.api}' has no stream '{stream.object or stream.name}'", remedy=hint)


def discovered(name: str, spec: Spec, told: Iterable[Field] = ()) -> Stream:
    found = _stream(name, spec, tuple(spec.columns))
    return replace(found, fields=(*found.fields, *told))


def described(name: str, spec: Spec, stream: StreamSpec, told: Iterable[Field] = ()) -> Stream:
    """Columns of the spec, then those that users have added: as the API told them, and those only the contract knows.

    Raises `SourceChanged` when `columns` names one that neither knows.
    """
    found = _stream(stream.name, spec, tuple(spec.columns))
    known = {each.name: each for each in (*found.fields, *told)}
    fields = known | {each.name: each for each in stream.contract.fields if each.name not in known}
    for column in stream.columns:
        if column not in fields:
            hint = did_you_mean(column, fields) or f"it has: {listed(fields)}"
            raise SourceChanged(f"'{name}' has no column '{column}'", where=name, remedy=hint)
    return Stream(stream.name, tuple(fields[each] for each in stream.columns or fields), found.primary_key,
                  found.description)  # fmt: skip


def readings(spec: Spec, fields: tuple[Field, ...]) -> tuple[Reading, ...]:
    return tuple(_reading(spec, each, spec.columns.get(each.name)) for each in fields)


def _reading(spec: Spec, field: Field, column: Column | None) -> Reading:
    if column is None:
        return Reading(field.name, field.type, path_of(spec, field.name))
    return Reading(field.name, column.type, column.path or field.name, column.form)


def _stream(name: str, spec: Spec, columns: tuple[str, ...]) -> Stream:
    fields = tuple(_field(each, spec.columns[each]) for each in columns)
    return Stream(name, fields, tuple(spec.key), spec.description)


def _field(name: str, column: Column) -> Field:
    return Field(name, column.type, column.required, column.description, column.classification, source_type=column.form)
