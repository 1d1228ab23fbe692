"""orphans: files below the table that nothing leads to and no running job can still publish."""

from __future__ import annotations

from datetime import timedelta

from dativo_provider.lake.maintain.work import Work, total
from dativo_provider.lake.sweep import find_orphans
from dativo_provider.model.maintenance import Amount, Upkeep

__all__ = ["run"]

WHAT = "files"


def run(work: Work) -> Upkeep:
    listed = work.files.list(work.load().location())
    older_than = timedelta(days=work.spec.orphan_days)
    hidden = find_orphans(
        work.catalog, work.table, work.files, older_than=older_than, running=work.running, keep=work.keep, listed=listed
    )
    seen = work.strays(older_than)
    before = total([info.size for info in (*listed, *seen)])
    found = [*hidden, *seen]
    if not found:
        return work.nothing("orphans", WHAT, before)
    if not work.dry_run:
        work.delete(found)
    after = Amount(before.files - len(found), before.bytes - sum(info.size for info in found))
    return work.report("orphans", WHAT, before, after)
