"""What a run tells the people who operate it: logs without secrets, metrics, progress."""

from dativo_provider.observability.logs import ConsoleFormatter, JsonFormatter, setup_logging
from dativo_provider.observability.masking import MASK, MASKER, Masker, MaskFilter
from dativo_provider.observability.metrics import LoggingMetrics, MemoryMetrics
from dativo_provider.observability.progress import open_progress

__all__ = [
    "MASK",
    "MASKER",
    "ConsoleFormatter",
    "JsonFormatter",
    "LoggingMetrics",
    "MaskFilter",
    "Masker",
    "MemoryMetrics",
    "open_progress",
    "setup_logging",
]
