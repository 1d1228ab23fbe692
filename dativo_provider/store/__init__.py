"""The metadata store: runs, check results, metric history and the quarantine index, behind one interface.

Nothing here decides anything about data: a store may be late, unreachable or rebuilt from the tables.
"""

from dativo_provider.store.base import MetricPoint, QuarantineEntry, Store, StreamKey
from dativo_provider.store.best_effort import BestEffort
from dativo_provider.store.open import connect, open_store, upgrade
from dativo_provider.store.rebuild import Rebuilt, import_records

__all__ = [
    "BestEffort",
    "MetricPoint",
    "QuarantineEntry",
    "Rebuilt",
    "Store",
    "StreamKey",
    "connect",
    "import_records",
    "open_store",
    "upgrade",
]
