"""The documentation a generated DAG carries: where data comes from, what it must look like, what happens if not."""

from __future__ import annotations

from collections.abc import Sequence

from dag_factory.markdown import code, table, text
from dag_factory.words import consequence, duration, increments, rule, schedule, writing
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.job import ContractSpec, JobSpec, StreamSpec
from dativo_provider.model.stream import Field

__all__ = ["job_doc", "refusal_doc"]

_ROWS_THAT_DO_NOT_FIT = {
    "quarantine": "A row that does not fit the contract goes to the quarantine table; the others are published.",
    "strict": "One row that does not fit the contract blocks the run; nothing is published.",
    "warn": "An optional value that does not fit becomes NULL; a row without a required value goes to quarantine.",
}
_ENFORCEMENT = {
    "strict": "",
    "warn": "This contract only warns: failing checks are counted and the rows are published.",
    "disabled": "The checks of this contract are switched off.",
}


def job_doc(job: JobSpec, path: str) -> str:
    """Markdown for a job at `path`, relative to the dags folder."""
    blocks = [text(job.description), _facts(job, path), *(_stream(job, stream) for stream in job.streams)]
    blocks += [_approval(job), _violations(job), _by_hand(job), _warnings(job)]
    return "\n\n".join(block for block in blocks if block).strip() + "\n"


def refusal_doc(headline: str, findings: Sequence[str], advice: str, job: JobSpec | None, path: str) -> str:
    """For a job that cannot run: what is wrong, then what is known of it."""
    listed = "\n".join(f"- {finding}" for finding in findings)
    rest = f"\n\n---\n\n{job_doc(job, path)}" if job else ""
    return f"**{headline}**\n\n{listed}\n\n{advice}{rest}".strip() + "\n"


def _facts(job: JobSpec, path: str) -> str:
    rows = [
        ("Tenant", text(job.tenant) + (f" ({text(job.environment)})" if job.environment else "")),
        ("Source", code(job.source.connector) + _through(job)),
        ("Target", f"{code(job.target.connector)}, {writing(job)}"),
        ("Schedule", schedule(job.schedule)),
        ("Owner", ", ".join(sorted({text(s.contract.owner) for s in job.streams if s.contract.owner}))),
        ("Job file", code(path)),
    ]
    return table(("", ""), [(f"**{name}**", value) for name, value in rows if value])


def _through(job: JobSpec) -> str:
    return f" through connection {code(job.source.connection_id)}" if job.source.connection_id else ""


def _stream(job: JobSpec, stream: StreamSpec) -> str:
    title = f"### {text(stream.name)} → {text(job.target.namespace or job.tenant)}.{text(stream.table)}"
    read = f"Reads {code(stream.object)}: {increments(stream)}."
    parts = [title, read, _contract(stream.contract), _columns(stream.contract), _checks(job, stream)]
    return "\n\n".join(part for part in parts if part)


def _contract(contract: ContractSpec) -> str:
    if not contract.name:
        return ""
    head = f"Contract **{text(contract.name)}** {text(contract.version)} ({text(contract.status)})"
    extra = [text(part) for part in (contract.domain, contract.data_product) if part]
    about = f" {text(contract.description)}" if contract.description else ""
    return f"{head}{', ' + ' / '.join(extra) if extra else ''}.{about}"


def _columns(contract: ContractSpec) -> str:
    """Three columns: Airflow shows documentation in a narrow pane."""
    rows = []
    for field in contract.fields:
        key = "key" if field.name in contract.primary_key else ""
        facts = [field.type, key, "required" if field.required else "", field.classification]
        rows.append((code(field.name), text(", ".join(fact for fact in facts if fact)), text(field.description)))
    return table(("Column", "Type", "Meaning"), rows)


def _checks(job: JobSpec, stream: StreamSpec) -> str:
    rows = []
    for check in _compiled(job, stream):
        columns = ", ".join(code(column) for column in check.columns)
        rows.append((text(check.name), f"{columns} {rule(check)}".strip(), consequence(check)))
    return table(("Check", "Asks that", "If not"), rows)


def _compiled(job: JobSpec, stream: StreamSpec) -> tuple[CheckSpec, ...]:
    """The checks somebody wrote, as far as they can be known before the source has shown its columns."""
    from dativo_provider.quality.frontends.compile import compile_rules

    made = (Field(transform.column, transform.type or "string") for transform in job.transforms)
    fields = (*stream.contract.fields, *made) if stream.contract.fields else ()
    cursor = stream.incremental.cursor_field
    try:
        checks = compile_rules(
            stream.contract.rules, fields, job.enforcement, job.schema_validation, cursor,
            handling=stream.contract.handling,
        )  # fmt: skip
    except ConfigurationError:
        return ()
    return tuple(check for check in checks if check.declared_in or check.kind not in ("type", "required"))


def _violations(job: JobSpec) -> str:
    sentences = [_ROWS_THAT_DO_NOT_FIT[job.schema_validation], _ENFORCEMENT[job.enforcement]]
    tables = [f"{job.target.namespace or job.tenant}.{stream.table}_quarantine" for stream in job.streams]
    look = f"Quarantined rows are in {', '.join(map(code, tables))}, each with its reasons: {code('dativo query')}."
    return "### If data does not fit\n\n" + " ".join(part for part in [*sentences, look] if part)


_ON_TIMEOUT = {
    "wait": "the task fails and the rows go on waiting",
    "reject": "they are dropped, and the next run reads them again",
}


def _approval(job: JobSpec) -> str:
    if job.target.publish == "main":
        return ""
    limit, then = duration(job.target.approval.timeout_seconds), _ON_TIMEOUT[job.target.approval.on_timeout]
    return (
        "### Approval\n\nA run's rows wait on a branch of their own until somebody approves them: "
        f"{code('approve')} in the run, under Required Actions. After {limit} without an answer {then}. "
        "Meanwhile no further run of the job reads."
    )


def _by_hand(job: JobSpec) -> str:
    incremental = any(stream.incremental.strategy != "full_refresh" for stream in job.streams)
    lines = ["- `full_refresh`: read everything again and replace what is there"]
    if incremental:
        lines.append("- `from`, `to`: read this range once more, without moving the cursor")
    return "### Started by hand\n\n" + "\n".join(lines)


def _warnings(job: JobSpec) -> str:
    return "### Warnings\n\n" + "\n".join(f"- {text(warning)}" for warning in job.warnings) if job.warnings else ""
