"""Two processes that make the same thing at once, where a catalog does not say so by an error of its own."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from dativo_provider.lake.catalogs.base import kinds_of

__all__ = ["lost_races"]

T = TypeVar("T")
_RACES = ("already exists", "UNIQUE constraint", "duplicate key", "database is locked", "pg_type_typname_nsp_index")
_TOLD = {"pyiceberg.TableAlreadyExistsError", "pyiceberg.NamespaceAlreadyExistsError"}


def lost_races(work: Callable[[], T], attempts: int = 12) -> T:
    """`work` again when another process was creating the same thing at the same time."""
    for attempt in range(attempts - 1):
        try:
            return work()
        except Exception as problem:
            if kinds_of(problem) & _TOLD or not any(word in str(problem) for word in _RACES):
                raise
            time.sleep(random.uniform(0, 0.05) * (attempt + 1))
    return work()
