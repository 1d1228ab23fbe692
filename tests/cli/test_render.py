from __future__ import annotations

import pytest

from dativo_provider.cli.outcome import Outcome, of_record, of_report
from dativo_provider.cli.output import value_text
from dativo_provider.cli.render import print_outcome, sum_line
from dativo_provider.errors import Cancelled, ContractViolation, SourceUnavailable
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, Verdict
from dativo_provider.model.job import ContractSpec, JobSpec, SourceSpec, StreamSpec, TargetSpec
from dativo_provider.model.run import Published, RunRecord
from dativo_provider.pipeline.run import StreamReport
from dativo_provider.vocabulary import ExitCode
from tests.support import requirement

BOOKS = Books(extracted=100, accepted=90, quarantined=6, rejected=1, duplicates=3)
VERDICT = Verdict(
    "quarantine",
    (
        CheckResult("a", "amount is a number", "failed", "stream", evaluated=99, failed=6),
        CheckResult("b", "order_id is required", "passed", "stream", evaluated=99),
    ),
    ("6 rows break amount is a number [amount]",),
)
OUTCOME = Outcome(
    "acme", "orders", "orders", "published", "20260101T000000-abcd", BOOKS, VERDICT, table="acme.orders",
    quarantine_table="acme.orders_quarantine", location="file:///x/acme/orders", snapshot_id=42, seconds=1.5,
    config="jobs/orders.yaml", contract="orders 1.2.0",
    samples=[{"order_id": 7305843009214411720, "comment": "two\nlines", "coupon": None, "_dativo_run": "x"}],
)  # fmt: skip


def job() -> JobSpec:
    stream = StreamSpec("orders", "orders.csv", "orders", ContractSpec("orders", "1.2.0"))
    return JobSpec("acme", "orders", "orders", SourceSpec("csv"), TargetSpec(), (stream,), path="jobs/orders.yaml")


def shown(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> str:
    print_outcome(outcome)
    return capsys.readouterr().out


@requirement("CLI-05")
def test_the_report_says_what_a_person_wants_to_know(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(OUTCOME, capsys)
    for fact in (
        "acme.orders", "published · 1.5 s", "100 extracted = 90 accepted + 6 quarantined + 1 rejected + 3 duplicates",
        "the books balance", "amount is a number", "order_id is required", "snapshot  42", "acme.orders",
        "file:///x/acme/orders", "what next", "dativo query --config jobs/orders.yaml",
    ):  # fmt: skip
        assert fact in text


def test_sample_rows_show_ids_as_they_are_and_no_system_columns(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(OUTCOME, capsys)
    assert "7305843009214411720" in text
    assert "two⏎lines" in text
    assert "NULL" in text
    assert "_dativo_run" not in text


def test_books_that_do_not_balance_are_said_to() -> None:
    assert "5 rows are unaccounted for" in sum_line(Books(extracted=10, accepted=5))


def test_an_empty_run_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(Outcome("acme", "orders", "orders", "nothing_new", table="acme.orders"), capsys)
    assert "nothing new since the last run" in text
    assert "extracted" not in text


def test_a_failed_run_shows_the_error_and_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    error = SourceUnavailable("the server does not answer", where="db:5432", remedy="start it")
    text = shown(Outcome("acme", "orders", "orders", "failed", error=error.to_dict()), capsys)
    assert "db:5432: the server does not answer" in text
    assert "→ start it" in text


def test_a_blocked_run_says_how_to_see_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(Outcome("acme", "orders", "orders", "blocked", "p1", BOOKS, VERDICT, table="acme.orders"), capsys)
    assert "--run p1" in text
    assert "nothing was published" in text


def test_a_blocking_verdict_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    verdict = Verdict("block", VERDICT.results, ("6 rows break amount is a number [amount]",))
    text = shown(Outcome("acme", "orders", "orders", "blocked", "p1", BOOKS, verdict), capsys)
    assert "6 rows break amount is a number [amount]" in text


@requirement("ERR-06")
@pytest.mark.parametrize(
    ("report", "status", "code"),
    [
        (
            StreamReport("orders", books=Books(extracted=1, accepted=1), published=Published("committed")),
            "published",
            0,
        ),
        (StreamReport("orders", books=BOOKS, published=Published("committed")), "published", 1),
        (StreamReport("orders", published=Published("committed")), "nothing_new", 0),
        (StreamReport("orders", books=BOOKS, published=Published("dry_run")), "dry_run", 1),
        (StreamReport("orders", books=BOOKS, error=ContractViolation("blocked")), "blocked", 2),
        (StreamReport("orders", error=SourceUnavailable("gone")), "failed", 2),
        (StreamReport("orders", error=Cancelled("stopped")), "cancelled", 2),
    ],
)
def test_status_and_exit_code_follow_from_the_report(report: StreamReport, status: str, code: int) -> None:
    outcome = of_report(job(), report)
    assert (outcome.status, outcome.exit_code) == (status, ExitCode(code))
    assert outcome.exit_code == report.exit_code


def test_a_remembered_run_reads_like_one_that_just_ended(capsys: pytest.CaptureFixture[str]) -> None:
    record = RunRecord(
        "p1", "r1", "acme", "orders", "orders", "published", "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:02+00:00",
        "acme.orders", 42, books=BOOKS, verdict=VERDICT,
    )  # fmt: skip
    text = shown(of_record(record, None), capsys)
    assert "published · 2.0 s" in text
    assert "the books balance" in text


def test_json_has_no_samples_unless_there_are_any() -> None:
    assert "samples" not in of_report(job(), StreamReport("orders")).to_dict()
    assert OUTCOME.to_dict()["samples"]
    assert OUTCOME.to_dict()["exit_code"] == 1


@pytest.mark.parametrize(
    ("value", "text"), [(None, "NULL"), (True, "True"), (1234567, "1,234,567"), ("a\nb", "a⏎b"), (b"\x01", "01")]
)
def test_cells_are_one_line(value: object, text: str) -> None:
    assert value_text(value) == text
