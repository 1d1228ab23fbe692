"""Where the lake leaf keeps what: `events/<tenant>/<month>/<day>/<kind>~<hashes>~<plan>~<unique>.json`.

The name carries enough to know what need not be read. Days are those of the run's start, so that all
of a run lies together. `plans/<plan>.json` says in which day.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import date

from dativo_provider.files import join
from dativo_provider.store.events import Event, Kind
from dativo_provider.store.when import moment

__all__ = ["UNFILED", "EventFile", "compacted_name", "day_folder", "event_name", "parse", "safe"]

UNFILED = "_unfiled"  # stands for the tenant of results whose run is not known yet
_COMPACTED = "whole"  # sorts behind every kind: an ordered listing that misses a removed file sees this one
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def safe(name: str) -> str:
    """`name` as a part of a path; one that could be mistaken for something else becomes its hash."""
    return name if _SAFE.fullmatch(name) else f"h{_hash(name, 20)}"


def _hash(text: str, length: int = 8) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:length]


@dataclass(frozen=True)
class EventFile:
    """A name, taken apart. A compacted file may hold anything about its day."""

    uri: str
    tenant: str
    day: str  # ISO date
    kind: str
    job_hash: str = ""
    stream_hash: str = ""
    plan: str = ""

    @property
    def compacted(self) -> bool:
        return self.kind == _COMPACTED

    def may_hold(
        self, kind: Kind, job: str | None = None, stream: str | None = None, plan_id: str | None = None
    ) -> bool:
        return self.compacted or (
            self.kind == kind
            and (not job or self.job_hash == _hash(job))
            and (not stream or self.stream_hash == _hash(stream))
            and (not plan_id or self.plan == safe(plan_id))
        )


def day_folder(root: str, tenant: str, day: date) -> str:
    return join(root, "events", safe(tenant) if tenant != UNFILED else UNFILED, f"{day:%Y-%m}", f"{day:%d}")


def event_name(event: Event) -> str:
    hashes = f"{_hash(event.stream.job)}{_hash(event.stream.stream)}"
    unique = f"{moment(event.at):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
    return f"{event.kind}~{hashes}~{safe(event.plan_id)}~{unique}.json"


def compacted_name() -> str:
    return f"{_COMPACTED}~{uuid.uuid4().hex}.jsonl"


def parse(uri: str) -> EventFile | None:
    """None for anything that is not ours."""
    parts = uri.split("/")
    if len(parts) < 5 or not re.fullmatch(r"\d{4}-\d\d", parts[-3]) or not re.fullmatch(r"\d\d", parts[-2]):
        return None
    tenant, day, name = parts[-4], f"{parts[-3]}-{parts[-2]}", parts[-1].split("~")
    if name[0] == _COMPACTED:
        return EventFile(uri, tenant, day, _COMPACTED)
    if len(name) != 4:
        return None
    return EventFile(uri, tenant, day, name[0], name[1][:8], name[1][8:], name[2])
