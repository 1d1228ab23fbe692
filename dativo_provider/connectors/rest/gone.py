"""What an API lists as gone: the keys alone, each a deletion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dativo_provider.connectors.rest.batches import Inside
from dativo_provider.connectors.rest.moments import show
from dativo_provider.connectors.rest.page import Page, at, put
from dativo_provider.connectors.rest.spec import Gone, Stream

__all__ = ["keys_alone"]


def keys_alone(spec: Stream, gone: Gone, inside: Inside, page: Page) -> Page:
    """`page` with records as the stream has them, of which only the key and the moment of the change are there."""
    return replace(page, records=list(_records(spec, gone, inside, page)))


def _records(spec: Stream, gone: Gone, inside: Inside, page: Page) -> Iterator[Any]:
    for item in page.records:
        record = at(item, gone.each)
        if inside.holds_record(item, record):
            yield _record(spec, gone, inside, item, record)


def _record(spec: Stream, gone: Gone, inside: Inside, item: Any, record: Any) -> Any:
    """The moment too, or the window's end where the list does not tell it: a change of the same key, read in this run
    or stored with `order_by`, must count as the older one."""
    made: Any = {}
    for name in spec.key:
        place = spec.columns[name].path or name
        made = put(made, place, at(record, gone.key.get(name, place)))
    moment, increment = inside.moment(item, record) if gone.moment else inside.hi, spec.incremental
    if moment and increment and increment.cursor:
        made = put(made, spec.columns[increment.cursor].path or increment.cursor, show(moment, spec.cursor_format))
    return made
