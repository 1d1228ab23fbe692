"""Names for versions of a table: tags that stay, branches that move, and what `--to` and `--as-of` may say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from dativo_provider.errors import ConfigurationError
from dativo_provider.lake.commit import Change, Ref, commit

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table
    from pyiceberg.table.snapshots import Snapshot

__all__ = ["AUDIT", "Allow", "Use", "any_use", "check_ref", "find_snapshot", "main_head", "remove_ref", "set_ref"]

AUDIT = "audit_"  # branches of runs that wait for their approval
MAIN = "main"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,99}")

Kind = Literal["branch", "tag"]
Use = Literal["branch", "tag", "read", "rollback"]
Allow = Callable[["Table", "Snapshot", Use], None]  # raises where a table cannot serve a version that way


def any_use(_table: Table, _snapshot: Snapshot, _use: Use) -> None:
    """A table of a catalog can serve any version in every way."""


def check_ref(name: str) -> None:
    """Raises `ConfigurationError`. A letter comes first, so no name can be taken for a snapshot id or a time."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"'{name}' is no name for a tag or branch",
            remedy="use a letter, then letters, digits, '_', '.' and '-', at most 100 in all",
        )
    if name == MAIN or name.startswith(AUDIT):
        raise ConfigurationError(f"'{name}' is a name Dativo keeps for itself", remedy="use another name")


def main_head(table: Table) -> int | None:
    head = table.metadata.refs.get(MAIN)
    return head.snapshot_id if head else None


def find_snapshot(table: Table, wanted: str) -> Snapshot:
    """By snapshot id, tag, branch or time (ISO; UTC without a zone): at a time, what readers saw then.

    Raises `ConfigurationError` when there is none (any more).
    """
    snapshot_id = _named(table, wanted)
    found = table.metadata.snapshot_by_id(snapshot_id) if snapshot_id is not None else None
    if found is None:
        known = ", ".join(sorted(table.metadata.refs)) or "none"
        raise ConfigurationError(
            f"'{wanted}' names no version of this table that is kept (tags and branches: {known})",
            where=".".join(table.name()),
            remedy="see `dativo snapshots`; give an id, a tag, a branch or an ISO time after the oldest snapshot",
        )
    return found


def _named(table: Table, wanted: str) -> int | None:
    if wanted.isdecimal():
        return int(wanted)
    if ref := table.metadata.refs.get(wanted):
        return int(ref.snapshot_id)
    at = _milliseconds(wanted)
    seen = [entry.snapshot_id for entry in table.metadata.snapshot_log if at is not None and entry.timestamp_ms <= at]
    return seen[-1] if seen else None


def _milliseconds(text: str) -> int | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return int(at.timestamp() * 1000)


def set_ref(catalog: Catalog, table: str, name: str, kind: Kind, wanted: str, allow: Allow = any_use) -> int:
    """Names the snapshot `wanted`. Saying it again changes nothing; a name that means another snapshot is refused."""
    check_ref(name)

    def done(found: Table) -> bool:
        known, target = found.metadata.refs.get(name), find_snapshot(found, wanted or MAIN)
        if known and (known.snapshot_ref_type != kind or known.snapshot_id != target.snapshot_id):
            raise ConfigurationError(
                f"there is a {known.snapshot_ref_type} '{name}' already, at snapshot {known.snapshot_id}",
                where=table,
                remedy="use another name, or delete that one first",
            )
        allow(found, target, kind)
        return known is not None

    def change(found: Table) -> Change:
        return Change(refs={name: Ref(kind, find_snapshot(found, wanted or MAIN).snapshot_id)}, snapshot=False)

    outcome = commit(catalog, table, done, change)
    return int(outcome.table.metadata.refs[name].snapshot_id)


def remove_ref(catalog: Catalog, table: str, name: str, kind: Kind) -> None:
    """The name only; its snapshot stays until it is expired. Raises `ConfigurationError` when there is no such name."""
    check_ref(name)
    tried: list[str] = []

    def done(found: Table) -> bool:
        known = found.metadata.refs.get(name)
        if known is None and tried:
            return True
        if known is None or known.snapshot_ref_type != kind:
            raise ConfigurationError(f"there is no {kind} '{name}'", where=table, remedy="see `dativo snapshots`")
        return False

    def change(_found: Table) -> Change:
        tried.append(name)
        return Change(refs={name: None}, snapshot=False)

    commit(catalog, table, done, change)
