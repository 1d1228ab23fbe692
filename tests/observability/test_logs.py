from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import Settings
from dativo_provider.observability import ConsoleFormatter, JsonFormatter, Masker, setup_logging
from tests.support import requirement

Lines = Callable[[], list[dict[str, Any]]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers, root.level = before
    logging.captureWarnings(False)


@pytest.fixture
def lines() -> Lines:
    stream = io.StringIO()
    setup_logging("json", "DEBUG", stream, Masker(["hunter2"]))
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@requirement("OBS-06")
def test_an_event_has_the_field_names_dashboards_key_on(lines: Lines) -> None:
    ctx = RunContext(Settings(home="/x"))
    ctx.labels.update(tenant="acme", job="orders", connector="csv", run="r1", plan="p1", stream="orders")
    ctx.event("batch_written", "500 rows", rows=500, files=["a", "b"])
    (line,) = lines()
    assert line | {"timestamp": "", "line": 0} == {
        "timestamp": "", "level": "INFO", "message": "500 rows", "module": "test_logs",
        "function": "test_an_event_has_the_field_names_dashboards_key_on", "line": 0,
        "tenant_id": "acme", "job_name": "orders", "event_type": "batch_written", "connector_type": "csv",
        "run_id": "r1", "plan_id": "p1", "stream": "orders", "rows": 500, "files": ["a", "b"],
    }  # fmt: skip
    assert line["timestamp"].endswith("+00:00")


@requirement("OBS-06")
def test_no_extra_is_dropped_and_none_replaces_a_standard_field(lines: Lines) -> None:
    log = logging.getLogger("dativo_provider.lake")
    log.info("done", extra={"rows": 5, "facts": {"message": "mine", "level": 3, "size": Decimal("1.5")}})
    (line,) = lines()
    assert (line["rows"], line["size"], line["message"], line["fact_message"], line["fact_level"]) == (
        5, "1.5", "done", "mine", 3,
    )  # fmt: skip


@requirement("OBS-06")
def test_every_line_is_strict_json_whatever_is_logged(lines: Lines) -> None:
    log = logging.getLogger("dativo")
    log.info(
        "two\nlines \x00 \u2028 \ud800 %s", "ü", extra={"facts": {"nan": float("nan"), "n": {"inf": [float("inf")]}}}
    )
    log.info("odd", extra={"labels": "none", "facts": ["a"]})
    first, second = lines()
    assert first["message"] == "two\nlines \x00 \u2028 \ud800 ü"
    assert (first["nan"], first["n"]) == ("nan", {"inf": ["inf"]})
    assert second["value"] == ["a"] or second["fact_value"] == ["a"]


@requirement("PII-05", "SEC-05")
def test_a_secret_is_in_no_part_of_a_line(lines: Lines) -> None:
    try:
        raise RuntimeError("password: hunter2")
    except RuntimeError:
        logging.getLogger("dativo").exception("with %s", "hunter2", extra={"facts": {"dsn": "x:hunter2@y"}})
    (line,) = lines()
    assert "hunter2" not in json.dumps(line)
    assert "password: ***" in line["exception"]


def test_libraries_only_warn_and_our_loggers_follow_the_level(lines: Lines) -> None:
    logging.getLogger("pyiceberg").info("chatter")
    logging.getLogger("dativo_provider.x").debug("ours")
    assert [line["message"] for line in lines()] == ["ours"]


def test_setting_up_twice_logs_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    setup_logging("json", stream=first)
    setup_logging("json", stream=second)
    logging.getLogger("dativo").info("once")
    assert not first.getvalue()
    assert len(second.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("format", "stream", "formatter"),
    [
        ("auto", Terminal(), ConsoleFormatter),
        ("auto", io.StringIO(), JsonFormatter),
        ("json", Terminal(), JsonFormatter),
        ("console", io.StringIO(), ConsoleFormatter),
    ],
)
def test_a_terminal_gets_text_and_everything_else_json(format: Any, stream: Any, formatter: type) -> None:
    assert isinstance(setup_logging(format, stream=stream).formatter, formatter)


def test_the_console_shows_stream_level_facts_and_colour() -> None:
    stream = Terminal()
    setup_logging("console", stream=stream)
    ctx = RunContext(Settings(home="/x"), labels={"tenant": "acme", "stream": "orders"})
    ctx.event("batch_written", "written", rows=5)
    ctx.event("retry_attempt", "again", logging.WARNING)
    written, again = stream.getvalue().splitlines()
    assert written[8:] == " orders  written  rows=5"
    assert again.startswith("\033[33m")
    assert "orders  warning: again" in again


def test_the_console_shows_exceptions() -> None:
    stream = io.StringIO()
    setup_logging("console", stream=stream)
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("dativo").exception("failed")
    assert "ValueError: no" in stream.getvalue()
    record = logging.makeLogRecord({"msg": "m", "exc_text": "cached"})
    assert ConsoleFormatter().format(record).endswith("cached")
