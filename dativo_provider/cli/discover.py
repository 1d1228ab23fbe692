"""`dativo discover`: what a source offers, and contracts to start from."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.cli import context
from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from dativo_provider.model.reader import Reader
    from dativo_provider.model.stream import Stream


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--connector", metavar="C", help="a connector by name")
    which.add_argument("--config", type=Path, metavar="F", help="a job, for its source")
    parser.add_argument("--connection", metavar="JSON", help="the connector's `connection:` block, as JSON")
    parser.add_argument("--connection-id", default="", metavar="ID", help="an Airflow connection")
    parser.add_argument("--object", action="append", metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--json", action="store_true", help='{"objects": […], "metadata": {…}, "count": n}')
    parser.add_argument("--write", type=Path, metavar="PATH", help="write a contract: a file, or a folder for several")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    with reading(args) as reader:
        streams = chosen(reader.discover(), args.object)
    if args.write:
        from dativo_provider.cli.contracts import write_contracts

        written = write_contracts(streams, args.write, tenant=args.tenant_id or "")
        show_written(written, args)
    else:
        show(streams, args)
    return 0


@contextmanager
def reading(args: argparse.Namespace) -> Iterator[Reader]:
    from dativo_provider.connectors.registry import open_reader
    from dativo_provider.model.job import SourceSpec
    from dativo_provider.pipeline.workplace import reading as reading_job

    if args.config:
        job = context.load_job(args.config, args)
        ctx = context.run_context(args, job)
        with closing(ctx.kept), reading_job(job, ctx) as reader:
            yield reader
        return
    here = (os.getcwd(), "/")  # the person at the keyboard may read what the shell may
    source = SourceSpec(args.connector, connection_of(args.connection), args.connection_id, roots=here)
    ctx = context.run_context(args, None)
    with closing(ctx.kept), closing(open_reader(source, ctx)) as reader:
        yield reader


def connection_of(text: str | None) -> dict[str, Any]:
    """Raises `ConfigurationError` without repeating the text: it may hold a password."""
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise ConfigurationError(f"--connection is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(value, dict):
        raise ConfigurationError(
            "--connection is not a JSON object", remedy='like \'{"host": "db", "database": "shop"}\''
        )
    return value


def chosen(streams: list[Stream], names: list[str] | None) -> list[Stream]:
    if not names:
        return streams
    found = [stream for stream in streams if stream.name in names]
    if missing := set(names) - {stream.name for stream in found}:
        offered = ", ".join(stream.name for stream in streams) or "nothing"
        raise ConfigurationError(f"the source has no {', '.join(sorted(missing))}", remedy=f"it offers: {offered}")
    return found


def show(streams: list[Stream], args: argparse.Namespace) -> None:
    from dativo_provider.cli.output import console, print_json, table

    if args.json:
        objects = [{"type": "stream"} | asdict(stream) for stream in streams]
        metadata = {"connector": args.connector} if args.connector else {"config": str(args.config)}
        print_json({"objects": objects, "metadata": metadata, "count": len(streams)})
        return
    rows = [
        (s.name, len(s.fields), _or_dash(s.estimated_rows), ", ".join(s.primary_key), s.description) for s in streams
    ]
    headers = ("object", "columns", "about rows", "key", "description")
    console().print(table(headers, rows, right=("columns", "about rows")))


def _or_dash(count: int | None) -> int | str:
    return "–" if count is None else count


def show_written(paths: list[Path], args: argparse.Namespace) -> None:
    from dativo_provider.cli.output import print_json, say

    if args.json:
        print_json({"written": [str(path) for path in paths], "count": len(paths)})
    for path in [] if args.json or args.quiet else paths:
        say(f"wrote {path}")
