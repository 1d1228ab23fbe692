"""`dativo VERB …`: finds the verb's file, parses, runs it, and turns errors into a message and an exit code."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from dativo_provider.cli.problems import interrupted, report
from dativo_provider.vocabulary import ExitCode

__all__ = ["VERBS", "Verb", "main", "parser_of", "verb"]

# The verb's file is `cli/<verb>.py` (`check_data.py` of `check-data`); it is imported only when the verb is used.
VERBS = {
    "validate": "check jobs, contracts, recipes, tenant and runner files, and folders of them",
    "init": "write the loader and a small working example into a dags folder",
    "run": "run a job, or a folder of one tenant's jobs, without a scheduler",
    "check": "try the connections of a job's source and target",
    "discover": "list what a source offers; write contracts for it",
    "connector": "lint the spec of an API, and hold it against the API",
    "contract": "lint, compare, import and export data contracts",
    "runs": "show past runs",
    "query": "ask a job's tables, their quarantine or a blocked run's rows in SQL",
    "quarantine": "see, correct, replay or discard the rows that were set aside",
    "sla": "show how the promises of a job stand: freshness, completeness, availability",
    "notify": "send a test message by a job's channels",
    "profile": "show what a file's, a table's or a job's rows look like",
    "check-data": "hold a contract against a file or a table, without ingesting",
    "quality": "show a job's quality score, its trend and schema drift; export the evidence",
    "doctor": "check the deployment: catalog, warehouse, clock, disk, versions, secrets, sources",
    "maintain": "compact, expire and sweep a job's tables, while runs go on",
    "state": "show, set, reset, import or export where a job's streams stand",
    "snapshots": "list the versions of a job's tables",
    "rollback": "take a table back to an earlier version, and its cursor with it",
    "tag": "name a version of a table for good",
    "branch": "name a version of a table for a line of its own",
    "approve": "publish a run that waits on its branch",
    "reject": "drop a run that waits on its branch",
    "schema": "print the JSON Schemas of the YAML files, for editors",
    "env": "make, list, check and remove environments of tools that cannot live beside Airflow",
    "store": "upgrade, rebuild or compact the metadata store",
    "version": "print versions",
}

EXIT_CODES = "exit codes: 0 all accepted (nothing new included), 1 published with rows left out, 2 failed"


class Verb(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace) -> int: ...


def verb(name: str) -> Verb:
    return cast("Verb", importlib.import_module(f"dativo_provider.cli.{name.replace('-', '_')}"))


def main(argv: Sequence[str] | None = None) -> int:
    args = parser_of(sys.argv[1:] if argv is None else argv).parse_args(argv)
    try:
        return int(verb(args.verb).run(args))
    except KeyboardInterrupt:
        return interrupted()
    except BrokenPipeError:  # the reader of our output (`head`, a pager) has seen enough
        sys.stderr.close()
        return int(ExitCode.OK)
    except Exception as error:
        return report(error, verbose=args.verbose, as_json=getattr(args, "json", False))


def parser_of(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser; of the verbs' own options only those of the verb among `words` are loaded."""
    parser = argparse.ArgumentParser(
        prog="dativo", description="Contracts enforced while ingesting, published to Iceberg.", epilog=EXIT_CODES
    )
    _add_common(parser, default=False)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    used = next((word for word in words if word in VERBS), None)
    for name, summary in VERBS.items():
        child = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        _add_common(child, default=argparse.SUPPRESS)
        if name == used:
            verb(name).add_arguments(child)
    return parser


def _add_common(parser: argparse.ArgumentParser, default: object) -> None:
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument("--quiet", "-q", action="store_true", default=default, help="print errors only")
    volume.add_argument("--verbose", "-v", action="store_true", default=default, help="print debug logs and tracebacks")


if __name__ == "__main__":
    sys.exit(main())
