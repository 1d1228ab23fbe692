"""manifests: every publish adds a manifest, and every scan and publish goes through all of them."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any

from dativo_provider.lake.commit import Change, commit
from dativo_provider.lake.maintain.rewrite import merge_manifests
from dativo_provider.lake.maintain.work import Work, is_signed, signed, total
from dativo_provider.model.maintenance import Amount, Upkeep

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["run"]

WHAT = "manifests"
_TARGET_BYTES = 8 << 20


def run(work: Work) -> Upkeep:
    table, name = work.load(), secrets.token_hex(8)
    before = _amount(table)
    small = _small(table)
    if len(small) < max(2, work.spec.min_manifests) or max(_specs(small).values()) < 2:
        return work.nothing("manifests", WHAT, before)
    if work.dry_run:
        return work.report("manifests", WHAT, before, _merged(before, small))
    commit(work.catalog, work.table, lambda now: is_signed(now, name), lambda now: _change(now, name))
    return work.report("manifests", WHAT, before, _amount(work.load()))


def _change(table: Table, name: str) -> Change:
    """Merging is the library's own; its thresholds come from this handle's properties."""
    table.metadata.properties.update({
        "commit.manifest.target-size-bytes": str(_TARGET_BYTES),
        "commit.manifest.min-count-to-merge": "2",
        "commit.manifest-merge.enabled": "true",
    })  # fmt: skip
    return Change(summary=signed(table, "manifests", name), update=merge_manifests)


def _amount(table: Table) -> Amount:
    return total([manifest.manifest_length for manifest in _data_manifests(table)])


def _small(table: Table) -> list[Any]:
    return [manifest for manifest in _data_manifests(table) if manifest.manifest_length < _TARGET_BYTES // 2]


def _specs(manifests: list[Any]) -> Counter[int]:
    return Counter(manifest.partition_spec_id for manifest in manifests)


def _merged(before: Amount, small: list[Any]) -> Amount:
    size = sum(manifest.manifest_length for manifest in small)
    return Amount(before.files - len(small) + max(len(_specs(small)), -(-size // _TARGET_BYTES)), before.bytes)


def _data_manifests(table: Table) -> list[Any]:
    from pyiceberg.manifest import ManifestContent

    snapshot = table.current_snapshot()
    found = [] if snapshot is None else snapshot.manifests(table.io)
    return [manifest for manifest in found if manifest.content == ManifestContent.DATA]
