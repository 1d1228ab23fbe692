"""`dativo store`: care for the metadata store. Runs and verdicts never depend on it.

`upgrade` brings its tables to this version (a SQLite file does that by itself). `rebuild` adds every run that left
its folder beside the tables and that the store does not know, with its numbers for history. `compact` folds a store of
files into fewer, larger ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from dativo_provider.cli import context
from dativo_provider.cli.output import counted, say

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=tuple(_ACTIONS), help="; ".join(f"{k}: {v[1]}" for k, v in _ACTIONS.items()))


def run(args: argparse.Namespace) -> int:
    ctx = context.run_context(args, None)
    message = _ACTIONS[args.action][0](ctx)
    if not args.quiet:
        say(message)
    return 0


def upgrade(ctx: RunContext) -> str:
    from dativo_provider.store import upgrade
    from dativo_provider.store.open import store_settings

    revision = upgrade(store_settings(ctx.settings))
    return f"the metadata store is at revision {revision}" if revision else "a store of files needs no upgrade"


def rebuild(ctx: RunContext) -> str:
    from dativo_provider.pipeline.history import records
    from dativo_provider.store import connect, import_records
    from dativo_provider.store.open import store_settings

    with connect(store_settings(ctx.settings), ctx.settings.catalog.properties) as store:
        found = import_records(store, records(ctx))
    return (
        f"the metadata store holds {counted(found.runs, 'run')} and {counted(found.results, 'check result')}, "
        "with row counts, scores, and what checks and profiles measured\n"
        "not brought back: errors of failed runs, costs, figures of maintenance, how many rows each run set aside (the "
        "rows are in their tables: dativo quarantine list), and who was told of what (alerts may come once more)"
    )


def compact(ctx: RunContext) -> str:
    from dativo_provider.store import connect
    from dativo_provider.store.lake import LakeStore
    from dativo_provider.store.open import store_settings

    with connect(store_settings(ctx.settings), ctx.settings.catalog.properties) as store:
        if not isinstance(store, LakeStore):
            return "only a store of files is compacted; this one is a database"
        done = store.compact()
    return f"{done.files_removed} files of {done.days} days are folded into one for each day"


_ACTIONS: dict[str, tuple[Callable[[RunContext], str], str]] = {
    "upgrade": (upgrade, "its tables"),
    "rebuild": (rebuild, "from the lake"),
    "compact": (compact, "fewer files"),
}
