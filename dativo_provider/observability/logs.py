"""Log lines: JSON with the field names dashboards key on, or text for a terminal. Both masked."""

from __future__ import annotations

import json
import logging
import math
import sys
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from dativo_provider.observability.masking import MASKER, STANDARD, Masker, MaskFilter

__all__ = ["LABELS", "ConsoleFormatter", "JsonFormatter", "LogFormat", "setup_logging"]

LogFormat = Literal["auto", "json", "console"]
# How the labels of a `RunContext` are called in a log line.
LABELS = {
    "tenant": "tenant_id", "job": "job_name", "connector": "connector_type",
    "run": "run_id", "plan": "plan_id", "stream": "stream",
}  # fmt: skip
_OURS = ("dativo", "dativo_provider", "dag_factory")
_COLOURS = {"DEBUG": "2", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Labels, event type, facts and every other extra of a record, flat."""
    extras = {name: value for name, value in vars(record).items() if name not in STANDARD}
    labels, facts = _mapping(extras.pop("labels", {})), _mapping(extras.pop("facts", {}))
    event = {"event_type": extras.pop("event_type")} if "event_type" in extras else {}
    return event | {LABELS.get(name, name): value for name, value in labels.items()} | extras | facts


def _mapping(found: Any) -> dict[str, Any]:
    return dict(found) if isinstance(found, dict) else {"value": found}


class JsonFormatter(logging.Formatter):
    """One line per record. A fact named like a standard field is kept as `fact_<name>`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "message": record.getMessage(),
            "module": record.module,
            "function": record.funcName,
            "line": record.lineno,
        }
        for name, value in facts_of(record).items():
            line[f"fact_{name}" if name in line else name] = value
        if record.exc_info or record.exc_text:
            line["exception"] = record.exc_text or self.formatException(record.exc_info)  # type: ignore[arg-type]
        return json.dumps(_finite(line), default=str)  # ASCII: some readers end a line at U+2028


def _finite(value: Any) -> Any:
    """NaN and infinity are no JSON; a strict reader would drop the line."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _finite(inner) for key, inner in value.items()}
    return [_finite(inner) for inner in value] if isinstance(value, (list, tuple)) else value


class ConsoleFormatter(logging.Formatter):
    """`12:30:05 orders  message  rows=5`, in colour when `colour`."""

    def __init__(self, colour: bool = False) -> None:
        super().__init__()
        self.colour = colour

    def format(self, record: logging.LogRecord) -> str:
        facts = facts_of(record)
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        stream = facts.get("stream") or facts.get("job_name") or ""
        hidden = {"event_type", *LABELS.values()}
        shown = " ".join(f"{name}={value}" for name, value in facts.items() if name not in hidden)
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        text = "  ".join(filter(None, [f"{time} {stream}".rstrip(), f"{level}{record.getMessage()}", shown]))
        if record.exc_info or record.exc_text:
            text += "\n" + (record.exc_text or self.formatException(record.exc_info))  # type: ignore[arg-type]
        code = _COLOURS.get(record.levelname) if self.colour else None
        return f"\033[{code}m{text}\033[0m" if code else text


class _Handler(logging.StreamHandler[TextIO]):
    """Marks the handler `setup_logging` installed, so that a second call replaces it."""


def setup_logging(
    format: LogFormat = "auto", level: int | str = logging.INFO, stream: TextIO | None = None, masker: Masker = MASKER
) -> logging.Handler:
    """Sends this process's logs to `stream` (stderr), masked; `auto` is text on a terminal and JSON elsewhere.

    Our loggers get `level`, libraries warn only. Not for Airflow's processes, which have set theirs up.
    """
    target = stream or sys.stderr
    terminal = target.isatty()
    handler = _Handler(target)
    text = format == "console" or (format == "auto" and terminal)
    handler.setFormatter(ConsoleFormatter(colour=terminal) if text else JsonFormatter())
    handler.addFilter(MaskFilter(masker))
    root = logging.getLogger()
    root.handlers = [old for old in root.handlers if not isinstance(old, _Handler)] + [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    return handler
