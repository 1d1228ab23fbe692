"""`dativo notify test`: sends a message by a channel of a job, and says whether it went."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli import context
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.model.job import JobSpec
    from dativo_provider.model.notices import ChannelSpec, Notice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["test"], help="send a test message")
    parser.add_argument("--config", type=Path, required=True, metavar="F", help="the job's YAML")
    parser.add_argument("--channel", metavar="C", help="this channel only (default: every one the job names)")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import say
    from dativo_provider.errors import DativoError
    from dativo_provider.notify import compose, open_channel

    job = context.load_job(args.config, args)
    ctx = context.run_context(args, job)
    failed = False
    for spec in chosen(job, args.channel):
        message = compose([notice(spec)], job.notification, (job.tenant, job.name, ""), ctx.now().isoformat(), blank())
        try:
            open_channel(spec, job.tenant, job.allowed_variables, ctx).send(message)
            say(f"ok    {spec.name}: the message went")
        except DativoError as problem:
            failed = True
            say(f"fail  {spec.name}: {problem}")
    return int(ExitCode.FAILED if failed else ExitCode.OK)


def chosen(job: JobSpec, name: str | None) -> list[ChannelSpec]:
    """Those a violation is told by come first: they have their recipients."""
    from dativo_provider.config.problems import did_you_mean
    from dativo_provider.errors import ConfigurationError

    every = {each.name: each for each in (*job.channels, *job.notification.channels)}
    if not every:
        raise ConfigurationError(
            "the job names no channel", where=job.path,
            remedy="list `violation_handling.notification.channels`, or declare `notifications:`",
        )  # fmt: skip
    if name and name not in every:
        remedy = did_you_mean(name, every) or f"it has: {', '.join(every)}"
        raise ConfigurationError(f"the job has no channel '{name}'", where=job.path, remedy=remedy)
    return [every[name]] if name else list(every.values())


def notice(spec: ChannelSpec) -> Notice:
    from dativo_provider.model.notices import Notice

    return Notice("test", "test message", f"channel '{spec.name}' works; nothing is wrong", "info")


def blank() -> dict[str, str]:
    from dativo_provider.config.shapes.checks import TEMPLATE_NAMES

    return dict.fromkeys(TEMPLATE_NAMES, "")
