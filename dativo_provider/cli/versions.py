"""What the verbs for versions share: which table of a job is meant, as the catalog has it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli import context
from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from dativo_provider.lake.iceberg import IcebergTarget
    from dativo_provider.lake.refs import Kind
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec, StreamSpec

__all__ = ["Chosen", "add_arguments", "add_naming", "choose", "choose_one", "name_version"]


class Chosen:
    """One stream of a job and its table."""

    def __init__(self, job: JobSpec, spec: StreamSpec, ctx: RunContext, target: IcebergTarget, name: str) -> None:
        self.job, self.spec, self.ctx, self.target, self.name = job, spec, ctx, target, name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job's YAML")
    parser.add_argument("--stream", default="", metavar="S", help="its table; needed where a job has several streams")
    context.add_arguments(parser)


def choose(args: argparse.Namespace) -> list[Chosen]:
    """The tables of the chosen streams. Raises `ConfigurationError` where a target keeps no tables."""
    from dativo_provider.lake.iceberg import IcebergTarget
    from dativo_provider.lake.table import find_table
    from dativo_provider.pipeline.state import chosen
    from dativo_provider.pipeline.targets import open_target

    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    target, found = open_target(job, ctx), []
    if not isinstance(target, IcebergTarget):
        raise ConfigurationError(
            f"target '{job.target.connector}' keeps no versions of its tables", where=str(args.config),
            remedy="publish to a catalog: target_connector: iceberg",
        )  # fmt: skip
    for spec in chosen(job, args.stream):
        name = target.name_of(job, spec)
        if find_table(target.catalog, name) is not None:
            found.append(Chosen(job, spec, ctx, target, name))
    if not found:
        raise ConfigurationError("the job has no table yet", where=str(args.config), remedy="run it first")
    return found


def choose_one(args: argparse.Namespace, what: str) -> Chosen:
    """The one table whose versions `what` is about."""
    found = choose(args)
    found[0].target.check_versions(what, found[0].name)
    if len(found) > 1:
        raise ConfigurationError(
            "the job has several tables", where=str(args.config),
            remedy=f"name one: --stream {' or '.join(each.spec.name for each in found)}",
        )  # fmt: skip
    return found[0]


def add_naming(parser: argparse.ArgumentParser, kind: Kind) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help=f"the {kind}")
    parser.add_argument(
        "--snapshot", default="", metavar="V", help="what it names (id, tag, branch, time); default: now"
    )
    parser.add_argument("--delete", action="store_true", help="remove the name; its rows go when they expire")
    parser.add_argument("--list", action="store_true", help="the names there are")
    add_arguments(parser)


def name_version(args: argparse.Namespace, kind: Kind) -> int:
    """`dativo tag` and `dativo branch`."""
    from dativo_provider.cli.output import say
    from dativo_provider.lake.refs import remove_ref, set_ref

    if args.list or not args.name:
        return list_names(args, kind)
    made = choose_one(args, f"dativo {kind}")
    if args.delete:
        remove_ref(made.target.catalog, made.name, args.name, kind)
        text = f"{kind} {args.name} of {made.name} is removed"
    else:
        snapshot = set_ref(made.target.catalog, made.name, args.name, kind, args.snapshot, made.target.allow)
        text = f"{kind} {args.name} of {made.name} is snapshot {snapshot}"
    if not args.quiet:
        say(text)
    return 0


def list_names(args: argparse.Namespace, kind: Kind) -> int:
    from dativo_provider.cli.output import console, table

    rows = [
        (each.name, name, str(ref.snapshot_id))
        for each in choose(args)
        for name, ref in sorted(each.target.table(each.name).metadata.refs.items())
        if ref.snapshot_ref_type == kind
    ]
    console().print(table(("table", kind, "snapshot"), rows))
    return 0
