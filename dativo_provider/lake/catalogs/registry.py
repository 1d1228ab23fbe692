"""The leaf of a catalog's type. Every row of `config.catalogs` has one of the same name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from dativo_provider.config.catalogs import CATALOGS
from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.errors import Unsupported
from dativo_provider.lake.catalogs.base import CatalogLeaf

__all__ = ["leaf", "leaves"]


def leaf(kind: str) -> CatalogLeaf:
    """Raises `Unsupported` for a type nobody knows."""
    if kind not in CATALOGS:
        raise Unsupported(
            f"there is no catalog of type '{kind}'",
            remedy=did_you_mean(kind, CATALOGS) or f"use one of: {listed(sorted(CATALOGS))}",
        )
    return _load(kind)


def leaves() -> tuple[CatalogLeaf, ...]:
    return tuple(_load(kind) for kind in CATALOGS)


@cache
def _load(kind: str) -> CatalogLeaf:
    found: CatalogLeaf = import_module(f"{__package__}.{kind}").LEAF
    return found
