"""The quarantine's half of a publish: appended after the main commit, exactly once, by whoever comes next.

The main commit's state names a manifest of quarantine files (`pending`). The quarantine table remembers, per
lane, the last main commit whose rows it has. Pending manifests of a lane are finished in order, because no
further main commit of the lane is made before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dativo_provider.errors import DataError, InternalError
from dativo_provider.files import FileStore, join
from dativo_provider.lake.commit import Change, commit
from dativo_provider.lake.datafile import data_files
from dativo_provider.lake.owner import check_owner
from dativo_provider.model.run import Plan, StagedFile, dump, load

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = ["finish_pending", "is_waiting", "write_pending"]


@dataclass(frozen=True)
class Pending:
    """`main` and `seq` say which commit of which main table these rows belong to."""

    plan_id: str
    tenant: str
    lane: str
    table: str
    main: str
    seq: int
    contract_version: str = ""
    files: tuple[StagedFile, ...] = field(default_factory=tuple)


def write_pending(plan: Plan, main: str, files: Sequence[StagedFile], store: FileStore) -> str:
    """The URI of the manifest, named by its content: writing it again changes nothing."""
    pending = Pending(
        plan_id=plan.plan_id,
        tenant=plan.job.tenant,
        lane=plan.state_key.removeprefix("dativo.state."),
        table=plan.quarantine_table,
        main=main,
        seq=plan.base.seq + 1,
        contract_version=plan.spec.contract.version,
        files=tuple(files),
    )
    data = dump(pending)
    name = f"dativo-pending-{plan.plan_id}-{hashlib.sha256(data).hexdigest()[:16]}.json"
    uri = join(plan.quarantine_location, "metadata", name)
    if not store.write_new(uri, data) and store.read(uri) != data:
        raise InternalError("another quarantine manifest has the same name", where=uri)
    return uri


def finish_pending(uri: str, main: str, catalog: Catalog, store: FileStore) -> bool:
    """Appends what the manifest at `uri` names, unless that has happened; True when rows became visible now."""
    pending = _read(uri, store)
    if pending.main != main:
        return False  # the main table was dropped and made again: this is history
    key = f"dativo.quarantine.{pending.lane}"
    outcome = commit(
        catalog, pending.table, lambda table: _has(table, key, pending), lambda table: _change(table, key, pending)
    )
    return outcome.ours


def is_waiting(uri: str, main: str, catalog: Catalog, store: FileStore) -> bool:
    """Whether `finish_pending` would have something to do."""
    pending = _read(uri, store)
    if pending.main != main:
        return False
    table = catalog.load_table(pending.table)
    return not _has(table, f"dativo.quarantine.{pending.lane}", pending)


def _read(uri: str, store: FileStore) -> Pending:
    try:
        return load(Pending, store.read(uri))
    except (ValueError, FileNotFoundError) as problem:
        raise DataError(
            "rows of the last run belong into the quarantine, but their manifest cannot be read",
            where=uri,
            remedy="restore this file from a backup or an older object version, then run again",
        ) from problem


def _has(table: Table, key: str, pending: Pending) -> bool:
    check_owner(table, pending.tenant)
    text = table.properties.get(key)
    record = json.loads(text) if text else {}
    return record.get("main") == pending.main and record.get("seq", 0) >= pending.seq


def _change(table: Table, key: str, pending: Pending) -> Change:
    record = {"main": pending.main, "seq": pending.seq, "run": pending.plan_id}
    summary = {
        "dativo.run": pending.plan_id,
        "dativo.lane": pending.lane,
        "dativo.contract_version": pending.contract_version,
        "dativo.quarantined": str(sum(file.rows for file in pending.files)),
    }
    return Change(added=data_files(table, pending.files), summary=summary, properties={key: json.dumps(record)})
