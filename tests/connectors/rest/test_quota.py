"""Limits of a day: four processes, one API, and one of them dies."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import RateLimited
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.settings import Settings
from tests.connectors.rest.fake import FakeApi
from tests.connectors.rest.toy import SPEC, text
from tests.support import requirement

LIMIT = 120
TASK = """
import os, sys
from tests.connectors.rest.test_quota import reader
from dativo_provider.errors import RateLimited
url, home, token, most, dies = sys.argv[1:]
made, sent = reader(url, home, token), 0
try:
    while sent < int(most):
        made.check()
        sent += 1
except RateLimited as error:
    print(f"{error.retry_after:.0f}")
if dies == "dies":
    os._exit(9)
made.ctx.kept.close()
"""


def reader(url: str, home: str, token: str = FakeApi.token, requests: int = LIMIT) -> RestReader:
    spec = SPEC | {"limits": {"default": {"requests": 100_000, "per": 1}, "daily": {"requests": requests, "per": "1d"}}}
    source = SourceSpec("rest", {"base_url": url, "token": token}, options={"spec": text(spec)})
    return RestReader(source, RunContext(Settings(home=home), labels={"tenant": "acme"}))


@requirement("ERR-05")
def test_processes_share_a_days_quota_without_a_round_trip_for_each_request(api: FakeApi, tmp_path: Path) -> None:
    """Each asks for half of it; one dies and loses a block at most; none goes without."""

    def task(most: int, dies: str = "") -> subprocess.Popen[str]:
        arguments = [sys.executable, "-c", TASK, api.url, str(tmp_path), api.token, str(most), dies]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)

    tasks = [task(LIMIT // 2) for _ in range(3)] + [task(5, "dies")]
    told = [each.communicate(timeout=120)[0] for each in tasks]
    assert [each.returncode for each in tasks] == [0, 0, 0, 9]
    assert 0.9 * LIMIT <= len(api.asked) <= LIMIT
    waits = [int(each) for each in told if each.strip()]
    assert waits
    assert all(80_000 < wait < 90_000 for wait in waits)
    with pytest.raises(RateLimited, match=r"120 requests in 1 days is used up.* in 24\.\d hours") as caught:
        reader(api.url, str(tmp_path)).check()
    assert "goes on from there" in caught.value.remedy


@requirement("ERR-05", "PRF-01")
def test_a_quota_is_spent_as_fast_as_the_other_limits_allow(api: FakeApi, tmp_path: Path) -> None:
    """And the store is asked for blocks, not for each request."""
    made = reader(api.url, str(tmp_path), requests=86_400)
    started = time.monotonic()
    for _ in range(100):
        made.check()
    assert time.monotonic() - started < 20  # the even pace would take 95 seconds behind its burst
    assert Counter(path.suffix for path in (tmp_path / "quotas").rglob("*") if path.is_file()).total() == 1


@requirement("ERR-05")
def test_a_quota_whose_count_is_away_is_kept_by_an_even_pace(
    api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "quotas").write_text("a file where the folder should be")
    made = reader(api.url, str(tmp_path), requests=100_000_000)
    for _ in range(3):
        made.check()
    assert caplog.text.count("leave at an even pace") == 1


@requirement("ERR-05")
def test_a_quota_that_the_api_says_is_used_up_is_not_asked_for_again(api: FakeApi, tmp_path: Path) -> None:
    from tests.connectors.rest.fake import Answer

    api.faults.append(lambda asked: Answer(200, {"error": {"code": "QUOTA_DAY"}}))
    rule = {"status": 200, "where": {"error.code": "QUOTA*"}, "means": "quota"}
    source = SourceSpec(
        "rest", {"base_url": api.url, "token": api.token}, options={"spec": text(SPEC | {"errors": [rule]})}
    )
    made = RestReader(source, RunContext(Settings(home="")))
    with pytest.raises(RateLimited) as caught:
        made.check()
    assert caught.value.retry_after == 3600
    assert len(api.asked) == 1
