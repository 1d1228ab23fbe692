"""`dativo connector lint`: every mistake of a spec, by file and line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.config import InvalidConfig, Problem
from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from dativo_provider.model.job import JobSpec

__all__ = ["lint", "of_job"]


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.validate import report

    return int(report([problem for path in args.paths for problem in lint(Path(path))], args))


def lint(path: Path) -> list[Problem]:
    """Of a manifest of Airbyte's also what is read without."""
    from dativo_provider.config.kinds import kind_of
    from dativo_provider.config.yamlpos import read
    from dativo_provider.connectors.airbyte.manifest import problems
    from dativo_provider.connectors.rest.load import load_api

    try:
        doc = read(path)
        if kind_of(doc.data) == "manifest" and (found := problems(doc)):
            return found
        load_api(path)
    except InvalidConfig as invalid:
        return list(invalid.problems)
    return []


def of_job(job: JobSpec) -> Iterator[Problem]:
    """Mistakes of the spec that a job reads by, and streams it does not have."""
    from dativo_provider.connectors.registry import connectors
    from dativo_provider.connectors.rest import READER
    from dativo_provider.connectors.rest.load import api_of
    from dativo_provider.connectors.rest.streams import spec_of

    found, options = connectors().get(job.source.connector), job.source.options
    if found is None or found.reader != READER:
        return
    try:
        api = api_of(found.name, options.get("spec"), str(options.get("spec_path") or ""))
    except InvalidConfig as invalid:
        yield from invalid.problems
        return
    except ConfigurationError as error:
        yield Problem(job.path, *_place(job, ""), "source", error.message, error.remedy)
        return
    for stream in job.streams:
        try:
            spec_of(api, stream)
        except ConfigurationError as error:
            place = _place(job, stream.object or stream.name)
            yield Problem(job.path, *place, "source.objects", error.message, error.remedy)


def _place(job: JobSpec, name: str) -> tuple[int, int]:
    """Of what names the stream, else of the connector; a recipe may have named either."""
    from dativo_provider.config.yamlpos import read

    doc = read(job.path)
    source = doc.data.get("source") or {}
    for key in ("objects", "tables"):
        for number, each in enumerate(source.get(key) or ()):
            if name and name == (each.get("object") or each.get("name") if isinstance(each, dict) else each):
                return doc.place(("source", key, number))
    return doc.place(("source_connector",))
