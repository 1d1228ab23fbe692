"""`dativo rollback`: a table as it was, and the cursors of what publishes there, so that the next run reads again.

The target must be in the table's own past. With `--keep-cursor` the rows go and the cursors stay: what was undone is
not read again by itself. Runs that were planned before are fenced. The quarantine is left as it is.
"""

from __future__ import annotations

import argparse

from dativo_provider.cli.versions import add_arguments as add_version_arguments
from dativo_provider.cli.versions import choose_one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", required=True, metavar="V", help="a snapshot id, a tag, a branch or a time (ISO)")
    parser.add_argument("--keep-cursor", action="store_true", help="leave the cursors where they are")
    add_version_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.output import counted, say
    from dativo_provider.lake.rollback import Rollback
    from dativo_provider.model.run import Lane, new_id
    from dativo_provider.pipeline.state import outlook, record_change

    made = choose_one(args, "dativo rollback")
    change_id = new_id(made.ctx.now())
    done = Rollback(
        made.target.catalog, made.target.files, made.name,
        tenant=made.job.tenant, to=args.to, run_id=change_id, keep_cursor=args.keep_cursor,
        allow=made.target.allow,
    ).run()  # fmt: skip
    made.target.tidy(made.name)
    text = f"{made.name} is as it was at snapshot {done.target}; {counted(done.undone, 'snapshot')} undone"
    record_change(made.job, made.spec, change_id, "rolled_back", text, made.ctx)
    if not args.quiet:
        say(text)
        say(f"cursors set back: {', '.join(done.lanes) or 'none'}")
        say(outlook(made.job, made.spec, made.target.state(made.job, made.spec, Lane())))
    return 0
