"""policy.yaml of the root and of the tenant: how strictly contracts are kept that do not say so themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dativo_provider.config.contract import Policy
from dativo_provider.config.handling import handling_of
from dativo_provider.config.layers import Findings, Within
from dativo_provider.config.places import Place, within_tenant
from dativo_provider.config.shapes.policy import PolicyFile
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, read, without_nulls

__all__ = ["policy_for", "read_policy"]

_FILES = tuple(os.path.join(folder, f"policy{suffix}") for folder in ("", "configs") for suffix in (".yaml", ".yml"))
_UNREAD = ("retention_days", "pii_fields", "classification_rules")


def policy_for(place: Place, findings: Findings) -> Policy:
    """The tenant's file over the root's. Problems go to `findings`."""
    found = Policy()
    for path in _paths(place):
        made = read_policy(read(place.shown(path)), findings)
        found = Policy(
            enforcement=made.enforcement or found.enforcement,
            handling=made.handling.over(found.handling),
            notification=made.notification or found.notification,
        )
    return found


def _paths(place: Place) -> Iterator[Path]:
    folders = [place.root, *([place.folder] if place.folder and place.folder != place.root else [])]
    for folder in folders:
        path = next((folder / name for name in _FILES if (folder / name).is_file()), None)
        if path is not None and within_tenant(path, place):
            yield path


def read_policy(doc: Document, findings: Findings) -> Policy:
    at = Within(doc)
    shape = shaped(PolicyFile, without_nulls(doc.data), at, findings)
    if shape is None:
        return Policy()
    for key in _UNREAD:
        if getattr(shape.policy, key):
            findings.warn(at, ("policy", key), f"'{key}' is not read", "it belongs into the contracts", value=False)
    block = shape.policy
    handling = block.violation_handling
    return Policy(
        enforcement=block.contract_enforcement,
        handling=handling_of(handling),
        notification=handling.notification if handling else None,
    )
