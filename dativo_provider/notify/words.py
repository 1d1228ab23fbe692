"""How a message reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dativo_provider.model.notices import Message, Notice, NotificationSpec
from dativo_provider.observability import MASKER

__all__ = ["compose"]

_LINES, _LONGEST = 20, 300


def compose(
    notices: Sequence[Notice], spec: NotificationSpec, place: tuple[str, str, str], at: str, facts: Mapping[str, str]
) -> Message:
    """One message of notices that all are wrong, or all resolved; `place` is tenant, job and stream, `facts` what a
    template may name."""
    tenant, job, stream = place
    lines = _lines(notices)
    known = {
        **facts, "tenant_id": tenant, "job_name": job, "violation_count": str(len(notices)), "violations_list": lines,
        "quarantine_ui_url": "",
    }  # fmt: skip
    if spec.quarantine_ui_url:
        known["quarantine_ui_url"] = spec.quarantine_ui_url.format_map(known)
    resolved = all(notice.resolved for notice in notices)
    text = spec.template.format_map(known) if spec.template and not resolved else _text(lines, known)
    grave = any(notice.severity == "error" for notice in notices) and not resolved
    return Message(
        tenant=tenant,
        job=job,
        stream=stream,
        notices=tuple(notices),
        title=MASKER.mask(_title(notices, f"{tenant}.{job} {stream}".rstrip(), resolved)),
        text=MASKER.mask(text),
        at=at,
        run=facts.get("run_id", ""),
        mention=spec.mention if grave else "",
        facts={name: MASKER.mask(value) for name, value in known.items()},
    )


def _title(notices: Sequence[Notice], place: str, resolved: bool) -> str:
    what = f"'{notices[0].title}'" if len(notices) == 1 else f"{len(notices)} checks and alerts"
    if resolved:
        return f"{place}: {what} in order again"
    return f"{place}: {what} {'needs' if len(notices) == 1 else 'need'} attention"


def _lines(notices: Sequence[Notice]) -> str:
    shown = [f"- {notice.title}{f': {notice.text}' if notice.text else ''}"[:_LONGEST] for notice in notices[:_LINES]]
    more = len(notices) - len(shown)
    return "\n".join([*shown, *([f"- and {more} more"] if more else [])])


def _text(lines: str, known: Mapping[str, str]) -> str:
    parts = [lines]
    contract = " ".join(known[name] for name in ("contract_name", "contract_version") if known.get(name))
    labels = {"contract": contract, "run": known.get("run_id", ""), "rows set aside": known.get("quarantine_path", ""),
              "see": known.get("quarantine_ui_url", "")}  # fmt: skip
    parts += [f"{label}: {value}" for label, value in labels.items() if value]
    return "\n".join(parts)
