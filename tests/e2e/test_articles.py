"""SN-01 as it is written: articles of a help center in Iceberg, one row of Markdown each."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.conftest import Answer, Command
from tests.connectors.rest.fake import serving
from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.zendesk import Zendesk
from tests.support import requirement

SNIPPETS = Path(__file__).parents[1] / "cli" / "snippets"
JOB = "zendesk_articles_to_markdown_kv.yaml"
LONG = "<p>" + "All that you need to know about this. " * 4 + "</p>"


class Centre:
    """Tenant techcorp with the job, its contract and where its Zendesk is, which this is too."""

    def __init__(self, folder: Path, dativo: Command, zendesk: Zendesk) -> None:
        self.folder, self.dativo, self.zendesk = folder / "dags" / "tenants" / "techcorp", dativo, zendesk
        contract = "zendesk_articles_markdown_kv.odcs.yaml"
        self._put("jobs", JOB, (SNIPPETS / JOB).read_text())
        self._put("contracts", contract, (SNIPPETS / "contracts" / contract).read_text())
        connection = {"base_url": zendesk.url, "subdomain": "techcorp", "access_token": "${SECRET:zendesk}"}
        recipe = {"name": "zendesk", "type": "zendesk", "roles": ["source"], "connection_template": connection}
        self._put("connectors", "zendesk.yaml", json.dumps(recipe))

    def _put(self, kind: str, name: str, text: str) -> None:
        (self.folder / kind).mkdir(parents=True, exist_ok=True)
        (self.folder / kind / name).write_text(text)

    @property
    def job(self) -> Path:
        return self.folder / "jobs" / JOB

    def write(self, body: str, **since: float) -> str:
        """An article last changed that long ago."""
        [key] = self.zendesk.add("articles", 1)
        at = datetime.now(UTC) - timedelta(**since)
        self.zendesk.records["articles"][key] |= {"body": body, "updated_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
        return str(key)

    def change(self, key: str, body: str, **since: float) -> None:
        row = self.zendesk.records["articles"].pop(int(key))
        at = datetime.now(UTC) - timedelta(**since)
        self.zendesk.records["articles"][int(key)] = row | {
            "body": body, "updated_at": at.strftime("%Y-%m-%dT%H:%M:%SZ")
        }  # fmt: skip

    def an_hour_later(self, monkeypatch: pytest.MonkeyPatch) -> None:
        later = SimpleNamespace(now=lambda zone: datetime.now(zone) + timedelta(hours=1))
        monkeypatch.setattr("dativo_provider.model.context.datetime", later)
        self.zendesk.clock.forward(hours=1)

    def run(self) -> tuple[Answer, dict[str, Any]]:
        answer = self.dativo("run", "--config", self.job, "--json")
        assert "zt0ken" not in answer.out + answer.err
        return answer, answer.json["streams"][0]

    def rows(self, columns: str = "*", table: str = "articles") -> list[dict[str, Any]]:
        found = self.dativo("query", "--config", self.job, "--json", f"select {columns} from {table}")
        assert found.code == 0, found.err
        return list(found.json)


@pytest.fixture
def centre(tmp_path: Path, dativo: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[Centre]:
    monkeypatch.setenv("DATIVO_SECRET__TECHCORP__ZENDESK", Zendesk.credentials["access_token"])
    zendesk = Zendesk(Clock(datetime.now(UTC)))
    with serving(zendesk):
        yield Centre(tmp_path, dativo, zendesk)


def outcomes(report: dict[str, Any]) -> dict[str, str]:
    return {result["name"]: result["outcome"] for result in report["verdict"]["results"]}


@requirement("SN-01", "CON-12", "MKV-02", "MKV-07", "DQ-07")
def test_the_job_as_written_puts_each_article_into_the_lake_once(centre: Centre) -> None:
    good = centre.write(f"<h1>Reset</h1>{LONG}", minutes=90)
    broken = centre.write(f'{LONG}<p><a href="">Gone</a></p>', minutes=80)
    short = centre.write(f"<p>Too short.</p><!-- {LONG} -->", minutes=70)
    answer, report = centre.run()
    assert answer.code == 1, answer.out + answer.err
    assert outcomes(report) == {
        **outcomes(report), "min_article_length": "failed", "no_broken_links": "failed", "freshness_check": "passed"
    }  # fmt: skip
    rows = {row["doc_id"]: row for row in centre.rows()}
    assert set(rows) == {good, broken}
    assert rows[good]["raw_md"].startswith("# Reset\n\nAll that you need")
    assert rows[good]["content_length"] == 157
    assert "[Gone]()" in rows[broken]["raw_md"]
    assert [row["n"] for row in centre.rows("count(*) as n", "articles_quarantine")] == [1]
    assert short in json.dumps(centre.rows("*", "articles_quarantine"), default=str)


@requirement("SN-01", "REG-08")
def test_later_runs_look_back_an_hour_and_keep_one_row_for_each_article(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [centre.write(LONG, minutes=minutes) for minutes in (300, 50, 20)]
    assert centre.run()[0].code == 0
    centre.change(keys[0], f"<h1>New</h1>{LONG}", minutes=2)
    centre.an_hour_later(monkeypatch)
    answer, _ = centre.run()
    assert answer.code == 0, answer.out
    start = int(centre.zendesk.asked[-1].query["start_time"])
    assert timedelta(minutes=55) < datetime.now(UTC) - datetime.fromtimestamp(start, UTC) < timedelta(minutes=70)
    assert {row["doc_id"]: row["raw_md"][:5] for row in centre.rows()} == {
        keys[0]: "# New", keys[1]: "All t", keys[2]: "All t"
    }  # fmt: skip


@requirement("SN-01", "SN-22", "MKV-09")
def test_one_command_takes_the_articles_back(centre: Centre, monkeypatch: pytest.MonkeyPatch) -> None:
    key = centre.write(LONG, minutes=30)
    centre.run()
    centre.change(key, f"<h1>Wrong</h1>{LONG}", minutes=3)
    centre.an_hour_later(monkeypatch)
    centre.run()
    assert centre.rows()[0]["raw_md"].startswith("# Wrong")
    snapshots = centre.dativo("snapshots", "--config", centre.job, "--json").json[0]["snapshots"]
    done = centre.dativo("rollback", "--config", centre.job, "--to", str(snapshots[1]["snapshot_id"]))
    assert done.code == 0, done.err
    assert centre.rows()[0]["raw_md"].startswith("All that")


@requirement("SN-01", "DQ-07")
def test_a_centre_where_nothing_changed_for_a_day_fails_its_runs(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre.write(LONG, hours=30)
    answer, report = centre.run()
    assert answer.code == 2
    assert outcomes(report)["freshness_check"] == "failed"
    assert len(centre.rows()) == 1
    for _ in range(2):  # nothing new makes nothing fresher
        centre.an_hour_later(monkeypatch)
        again, report = centre.run()
        assert (again.code, outcomes(report)["freshness_check"]) == (2, "failed")


@requirement("SN-01", "DQ-07")
def test_old_articles_are_not_published_where_the_job_blocks(centre: Centre) -> None:
    text = centre.job.read_text().replace("max_age_hours: 24", "max_age_hours: 24\n      on_violation: block")
    centre.job.write_text(text)
    centre.write(LONG, hours=30)
    answer, report = centre.run()
    assert answer.code == 2
    assert report["verdict"]["decision"] == "block", report["verdict"]
    assert centre.zendesk.sent == 1


@requirement("SN-01", "ERR-01")
def test_a_token_without_the_right_to_articles_is_told_which(centre: Centre) -> None:
    centre.zendesk.forbidden.add("hc:read")
    answer, report = centre.run()
    assert answer.code == 2
    assert "hc:read" in report["error"]["remedy"]
    assert os.path.basename(JOB).split(".")[0] in answer.out
