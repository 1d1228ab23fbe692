"""`dativo check-data`: a contract's checks on rows that exist already; nothing is read into a table.

RULES is a contract, or a job with its contract and checks. DATA is a Parquet or CSV file or a table
(`namespace.table`); of a job its own published table, unless another is named. Rows are cast to the contract's types
as an ingestion would cast them; transformations of a job are not applied. Exit code 1: rows would be set aside; 2: a
run would be blocked.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.cli import context
from dativo_provider.errors import ConfigurationError
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.model.job import JobSpec, StreamSpec
    from dativo_provider.pipeline.existing import Checked, Rows

HEADERS = ("outcome", "check", "severity", "fail", "of", "by", "")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rules", type=Path, metavar="RULES", help="a contract's or a job's YAML")
    parser.add_argument("data", nargs="?", metavar="DATA", help="FILE.parquet, FILE.csv or NAMESPACE.TABLE")
    parser.add_argument("--stream", default="", metavar="S", help="of a job or contract with several: this one")
    parser.add_argument("--json", action="store_true", help="verdict, books and results as JSON")
    parser.add_argument("--junit", type=Path, metavar="P", help="write the results as JUnit XML, for CI")
    context.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.pipeline.existing import check_rows

    job, spec = subject(args)
    ctx = context.run_context(args, job)
    checked = check_rows(job, spec, rows_of(args, job, spec, ctx), ctx)
    if args.junit:
        write_junit(checked, args.junit)
    show(checked, args)
    return int(exit_code(checked))


def exit_code(checked: Checked) -> ExitCode:
    if not checked.verdict.publishes or checked.verdict.fails_after:
        return ExitCode.FAILED
    return ExitCode.PARTIAL if checked.books.left_out else ExitCode.OK


def subject(args: argparse.Namespace) -> tuple[JobSpec, StreamSpec]:
    """The job, or one around the contract, and the stream whose rules are meant."""
    from dativo_provider.config.kinds import kind_of
    from dativo_provider.config.yamlpos import read
    from dativo_provider.pipeline.state import chosen_one

    document = read(args.rules)
    if kind_of(document.data, document.path) == "job":
        job = context.load_job(args.rules, args)
    else:
        job = job_around(args.rules)
    return job, chosen_one(job, args.stream)


def job_around(path: Path) -> JobSpec:
    """A job that would ingest under this contract, a stream for each of its tables."""
    from dativo_provider.config.contracts import read_contract
    from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec

    source = read_contract(path)
    if not source.tables:
        raise ConfigurationError("the contract describes no table", where=str(path), remedy="add `schema:`")
    streams = tuple(
        StreamSpec(
            table.name, table.physical_name or table.name, table.name,
            ContractSpec(
                source.name, source.version, path=source.path, fields=table.fields, primary_key=table.primary_key,
                rules=(*table.rules, *source.rules), declared_in=table.declared_in,
                schema_policies=table.schema_policies, handling=source.policy.handling,
            ),
        )
        for table in source.tables
    )  # fmt: skip
    enforcement = source.policy.enforcement or "strict"
    target = TargetSpec(namespace="local")
    return JobSpec("local", source.name, source.name, SourceSpec("csv"), target, streams, enforcement=enforcement)


def rows_of(args: argparse.Namespace, job: JobSpec, spec: StreamSpec, ctx: RunContext) -> Rows:
    from dativo_provider.cli.rows import job_rows, named_rows

    if args.data:
        return named_rows(args.data, ctx)
    if not job.path:
        raise ConfigurationError("a contract alone has no rows", remedy="name a file or a table after it")
    return job_rows(job, spec, ctx)


def show(checked: Checked, args: argparse.Namespace) -> None:
    from dativo_provider.cli.output import console, print_json, say, table

    verdict, books = checked.verdict, checked.books
    if args.json:
        print_json(facts(checked))
        return
    say(f"{checked.plan.table}: {books.extracted:,} rows, {books.left_out:,} would be set aside")
    say(f"verdict: {verdict.decision}")
    for reason in (*verdict.reasons, *verdict.fails_after):
        say(f"  · {reason}")
    rows = ((r.outcome, r.name, r.severity, r.failed, r.evaluated, r.evaluated_by, r.message) for r in verdict.results)
    console().print(table(HEADERS, rows, right=("fail", "of")))


def facts(checked: Checked) -> dict[str, Any]:
    from dataclasses import asdict

    from dativo_provider.quality.drift import drift_report

    return {
        "data": checked.plan.table,
        "contract": f"{checked.plan.spec.contract.name} {checked.plan.spec.contract.version}",
        "exit_code": int(exit_code(checked)),
        "verdict": asdict(checked.verdict),
        "books": asdict(checked.books),
        "schema_drift": drift_report(checked.plan.drift).to_dict(),
    }


def write_junit(checked: Checked, path: Path) -> None:
    """A test case per check: `failure` for failed, `error` for one that could not be evaluated, else `skipped`."""
    from xml.etree.ElementTree import Element, ElementTree, SubElement

    results = checked.verdict.results
    suite = Element("testsuite", name=f"{checked.plan.table} against {checked.plan.spec.contract.name}")
    for result in results:
        case = SubElement(suite, "testcase", classname=checked.plan.stream, name=result.name)
        if element := _ELEMENTS.get(result.outcome):
            message = result.message or f"{result.failed} of {result.evaluated} rows fail"
            SubElement(case, element, message=message, type=result.severity)
    counts = {word: sum(_ELEMENTS.get(r.outcome) == word for r in results) for word in ("failure", "error", "skipped")}
    suite.attrib |= {"tests": str(len(results)), "failures": str(counts["failure"]), "errors": str(counts["error"]),
                     "skipped": str(counts["skipped"])}  # fmt: skip
    ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


_ELEMENTS = {"failed": "failure", "error": "error", "not_evaluated": "skipped", "skipped": "skipped"}
