"""Our structured log lines as Airflow's: labels and facts become fields of the task log, not part of the text."""

from __future__ import annotations

import logging

__all__ = ["task_log"]

_NAME = "dativo.task"
_TAKEN = frozenset({"event", "level", "logger", "timestamp", "exc_info"})


def task_log() -> logging.Logger:
    """What a step writes to while Airflow runs it."""
    log = logging.getLogger(_NAME)
    if not any(isinstance(handler, _ToAirflow) for handler in log.handlers):
        log.addHandler(_ToAirflow())
        log.propagate = False
        log.setLevel(logging.INFO)
        for noisy in ("pyiceberg.io", "httpx"):  # a line for each file, and each request with its parameters
            logging.getLogger(noisy).setLevel(logging.WARNING)
    return log


class _ToAirflow(logging.Handler):
    """Airflow logs through structlog, which would drop the extras of a standard record, and whose masks know secrets
    as they are, not in base64 or URLs."""

    def __init__(self) -> None:
        from dativo_provider.observability import MaskFilter

        super().__init__()
        self.addFilter(MaskFilter())

    def emit(self, record: logging.LogRecord) -> None:
        import structlog

        from dativo_provider.observability.logs import LABELS, facts_of

        found = facts_of(record)
        # What a person looks for comes first: Airflow's page shows a line from its left end.
        last = {name: found.pop(name) for name in ("event_type", *LABELS.values()) if name in found}
        facts = {f"fact_{name}" if name in _TAKEN else name: value for name, value in {**found, **last}.items()}
        if record.exc_info:
            facts["exc_info"] = record.exc_info
        structlog.get_logger("dativo").log(record.levelno, record.getMessage(), **facts)
