"""`dativo quality`: how good the rows of a job were, and the proof of it.

`score` tells the newest run's by dimension and column, always with the share of checks that were evaluated; `trend` the
runs before it. `drift` tells how the source's schema differs from the contract. `evidence` lists every check's result
with contract version, snapshot and engine, for an auditor; without a job of every job. `report` writes one HTML file
that opens offline. `accept` says that what a failed anomaly or change check found is the new level, from that run on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.cli import context
from dativo_provider.cli.quality_accept import accept
from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec
    from dativo_provider.model.run import RunRecord

ACTIONS = ("score", "trend", "drift", "evidence", "report", "accept")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to tell")
    parser.add_argument("--config", type=Path, metavar="F", help="the job's YAML; evidence: default all jobs")
    parser.add_argument("--stream", default="", metavar="S", help="this stream only; needed where a job has several")
    parser.add_argument("--run", dest="plan_id", default="", metavar="ID", help="this run; default: the newest audited")
    parser.add_argument("--from", dest="since", metavar="T", help="evidence: runs from this time (ISO) on")
    parser.add_argument("--to", dest="until", metavar="T", help="evidence: runs before this time (ISO)")
    parser.add_argument("--format", choices=("csv", "json"), default="csv", help="evidence: default csv")
    parser.add_argument("--verify", type=Path, metavar="P", help="evidence: whether an exported file is as it was")
    parser.add_argument("--digest", default="", metavar="D", help="evidence --verify: the digest its export told")
    parser.add_argument("--limit", type=int, default=30, metavar="N", help="trend, report: the newest N (default: 30)")
    parser.add_argument("--output", type=Path, metavar="P", help="report, evidence: the file to write")
    parser.add_argument(
        "--check", default="", metavar="ID", help="accept: this check only; default: all that failed so"
    )
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="accept: why; it is kept with who said so and when"
    )
    parser.add_argument("--by", default="", metavar="WHO", help="accept: who says so (default: your login)")
    parser.add_argument("--json", action="store_true", help="score, trend, drift, accept: as JSON")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    job = context.load_job(args.config, args) if args.config else None
    ctx = context.run_context(args, job)
    if args.action == "evidence":
        return evidence(args, job, ctx)
    if job is None:
        raise ConfigurationError(f"{args.action} is of one job", remedy="name it: --config FILE")
    actions = {"score": score, "trend": trend, "drift": drift, "report": report, "accept": accept}
    return actions[args.action](args, job, ctx)


def score(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> int:
    from dataclasses import asdict

    from dativo_provider.cli.output import console, print_json, say, table
    from dativo_provider.pipeline.report import card_of, plan_of, results_of
    from dativo_provider.quality.score import GOAL

    record = chosen(args, job, ctx)
    card = card_of(results_of(record, ctx), plan_of(record, ctx))
    if args.json:
        facts = {"run": record.plan_id, "goal": GOAL, "goal_reached": card.total.reached}
        print_json(facts | asdict(card))
        return 0
    value = "no score: no check was evaluated" if card.total.value is None else f"score {card.total.value:g} of 100"
    goal = "reached" if card.total.reached else "not reached"
    say(f"{job.dag_id} {record.stream} {record.plan_id}: {value}, over {card.total.coverage:.0%} of the checks")
    say(f"goal (above {GOAL:g}, all of them evaluated): {goal}")
    parts = [(f"dimension {name}", each) for name, each in card.dimensions.items()]
    parts += [(f"column {name}", each) for name, each in card.columns.items()]
    rows = ((name, "–" if each.value is None else each.value, f"{each.coverage:.0%}") for name, each in parts)
    console().print(table(("", "score", "coverage"), rows, right=("score", "coverage")))
    if card.unchecked:
        say(f"columns without a check of their own: {', '.join(card.unchecked)}")
    return 0


def trend(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> int:
    from dativo_provider.cli.output import console, print_json, say, table

    points, levels = history(args, job, ctx), accepted_by_run(args, job, ctx)
    if args.json:
        print_json([{"at": at, "run": p, "score": value, "accepted": levels.get(p, [])} for at, value, p in points])
    elif points:
        rows = ((at[:19].replace("T", " "), p, value, noted(levels.get(p, ()))) for at, value, p in points)
        console().print(table(("of (UTC)", "run", "score", "accepted as the new level"), rows, right=("score",)))
    else:
        say("no run has left a score yet")
    return 0


def accepted_by_run(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> dict[str, list[dict[str, Any]]]:
    from dataclasses import asdict

    from dativo_provider.pipeline.acceptance import accepted
    from dativo_provider.pipeline.state import chosen_one

    found: dict[str, list[dict[str, Any]]] = {}
    for each in accepted(job, chosen_one(job, args.stream).name, ctx):
        found.setdefault(each.run, []).append(asdict(each))
    return found


def noted(levels: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(
        f"{', '.join(each['levels'])} by {each['by'] or 'nobody named'}: {each['reason']}" for each in levels
    )


def drift(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> int:
    from dativo_provider.cli.output import console, print_json, say, table
    from dativo_provider.quality.drift import drift_report

    record = chosen(args, job, ctx)
    found = drift_report(record.drift)
    if args.json:
        print_json({"run": record.plan_id} | found.to_dict())
        return 0
    if not found.any:
        say(f"{record.plan_id}: the source fits the contract")
        return 0
    rows = [("added", name, "", kind) for name, kind in found.added]
    rows += [("removed", name, kind, "") for name, kind in found.removed]
    rows += [("other type", *each) for each in found.type_changes]
    console().print(table(("change", "column", "contract", "source"), rows))
    for sentence in found.recommendations:
        say(f"→ {sentence}")
    return 0


def report(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> int:
    from dativo_provider.cli.output import say
    from dativo_provider.pipeline.report import report_of

    record = chosen(args, job, ctx)
    path = args.output or Path(f"{record.plan_id}.html")
    path.write_text(report_of(record, ctx, args.limit), encoding="utf-8")
    if not args.quiet:
        say(f"wrote {path}")
    return 0


def evidence(args: argparse.Namespace, job: JobSpec | None, ctx: RunContext) -> int:
    import csv
    import sys
    from contextlib import nullcontext

    from dativo_provider.cli.output import csv_text, print_json
    from dativo_provider.quality.evidence.rows import COLUMNS
    from dativo_provider.quality.evidence.seal import sealed

    if args.verify:
        return verified(args.verify, args.digest)
    rows = sealed(evidence_rows(args, job, ctx))
    if args.format == "json" and not args.output:
        print_json(list(rows))
        return 0
    with args.output.open("w", encoding="utf-8", newline="") if args.output else nullcontext(sys.stdout) as out:
        if args.format == "json":
            import json

            json.dump(list(rows), out, indent=2, default=str)
        else:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows([csv_text(value) for value in row.values()] for row in rows)
    if args.output and not args.quiet:
        verified(args.output)
    return 0


def verified(path: Path, kept: str = "") -> int:
    """Tells how many rows `path` has and its last digest. Raises `DataError` when something was changed."""
    from dativo_provider.cli.output import counted, say
    from dativo_provider.errors import DataError
    from dativo_provider.quality.evidence.seal import first_broken

    rows, broken, digest = first_broken(exported(path))
    if broken or (kept and kept != digest):
        problem = f"row {broken} is not as it was exported" if broken else f"its digest is {digest}"
        raise DataError(
            f"this evidence was changed: {problem}", where=str(path), remedy="export it again and compare the two"
        )
    say(f"{path}: {counted(rows, 'row')}, digest {digest or 'none'}; keep the digest apart from the file")
    return 0


def exported(path: Path) -> list[dict[str, Any]]:
    import csv
    import json

    if not path.exists():
        raise ConfigurationError("there is no such file", where=str(path), remedy="name an exported one: --verify FILE")
    with path.open(encoding="utf-8", newline="") as file:
        if file.read(1) == "[":
            rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
            return rows
        file.seek(0)
        return list(csv.DictReader(file))


def evidence_rows(args: argparse.Namespace, job: JobSpec | None, ctx: RunContext) -> Iterator[dict[str, Any]]:
    """Oldest run first."""
    from functools import cache

    from dativo_provider.files import parent
    from dativo_provider.pipeline.acceptance import accepted_in
    from dativo_provider.quality.evidence.rows import evidence as rows_of
    from dativo_provider.store import open_store

    store = open_store(ctx)
    tenant, name = (job.tenant, job.name) if job else (args.tenant_id, None)
    records = store.runs(tenant, name, args.stream or None, limit=None, since=moment(args.since, "--from"))
    until = moment(args.until, "--to")
    levels = cache(lambda runs: accepted_in(runs, ctx))
    for record in reversed(records):
        if until is None or record.started_at < until:
            yield from rows_of(
                record, store.results(record.plan_id), levels(parent(record.folder)) if record.folder else ()
            )


def moment(text: str | None, option: str) -> str | None:
    from datetime import datetime

    from dativo_provider.store.when import iso
    from dativo_provider.store.when import moment as parsed

    try:
        return iso(parsed(text)) if text else None
    except (TypeError, ValueError):
        example = datetime.now().date().isoformat()
        raise ConfigurationError(f"{option} {text}: this is no time", remedy=f"write it as {example}") from None


def chosen(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> RunRecord:
    """The run that is asked for, else the newest with something to audit."""
    from dativo_provider.pipeline.state import chosen_one
    from dativo_provider.store import open_store

    store = open_store(ctx)
    if args.plan_id:
        found = store.get(args.plan_id)
        records = [found] if found and (found.tenant, found.job) == (job.tenant, job.name) else []
    else:
        runs = store.runs(job.tenant, job.name, chosen_one(job, args.stream).name, limit=100)
        records = [r for r in runs if r.verdict and r.verdict.results and r.lane != "replay"]
    if not records:
        raise ConfigurationError(
            f"there is no audited run of {job.dag_id}", remedy=f"see the runs: dativo runs --job {job.dag_id}"
        )
    return records[0]


def history(args: argparse.Namespace, job: JobSpec, ctx: RunContext) -> list[tuple[str, float, str]]:
    from dativo_provider.pipeline.report import scores
    from dativo_provider.pipeline.state import chosen_one

    return scores(job.tenant, job.name, chosen_one(job, args.stream).name, ctx, args.limit)
