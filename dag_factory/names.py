"""Ids, tags and owners: what the operator sees in lists and filters by."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dativo_provider.model.job import JobSpec, StreamSpec

__all__ = ["group_ids", "owner", "owner_links", "tags"]

_TAG_LENGTH = 100
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


def group_ids(streams: Sequence[StreamSpec]) -> list[str]:
    """A task group id per stream: letters, digits, `_` and `-`; two streams never share one."""
    found: list[str] = []
    for stream in streams:
        base = re.sub(r"[^A-Za-z0-9_-]+", "_", stream.name).strip("_")[:120] or "stream"
        same = sum(1 for known in found if known == base or re.fullmatch(re.escape(base) + r"__\d+", known))
        found.append(f"{base}__{same + 1}" if same else base)
    return found


def tags(job: JobSpec, *more: str) -> list[str]:
    """SN-21: tenant, connector and job, as `key:value`; then the schedule's own tags."""
    named = {
        "tenant": job.tenant,
        "source": job.source.connector,
        "target": job.target.connector,
        "job": job.name,
        "domain": ",".join(sorted({stream.contract.domain for stream in job.streams if stream.contract.domain})),
        **job.schedule.tags,
    }
    listed = ["dativo", *(f"{key}:{value}" for key, value in named.items() if value), *more]
    if not job.schedule.enabled:
        listed.append("schedule:off")
    return sorted({tag[:_TAG_LENGTH] for tag in listed})


def owner(stream: StreamSpec) -> str:
    """Airflow separates several owners by comma, so one owner may not contain any."""
    return stream.contract.owner.replace(",", " ").strip() or "dativo"


def owner_links(job: JobSpec) -> dict[str, str]:
    names = sorted({owner(stream) for stream in job.streams})
    return {name: f"mailto:{name}" for name in names if _EMAIL.fullmatch(name)}
