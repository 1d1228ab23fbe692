"""A window never ends ahead of the API's clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dativo_provider.connectors.rest.client import Client
from dativo_provider.connectors.rest.clock import seconds_to
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, IncrementalSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import WindowRequest
from tests.connectors.rest.fake import FakeApi, serving
from tests.connectors.rest.toy import SPEC, text
from tests.support import requirement

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATE = IncrementalSpec("updated_at", lag_seconds=0)
STREAM = StreamSpec("cursor", "cursor", "t", ContractSpec("t"), incremental=LATE)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    found = FakeApi()
    found.now = lambda: datetime.now(UTC)
    with serving(found):
        yield found


def read(api: FakeApi, now: datetime, spec: Mapping[str, object] = SPEC) -> list[int]:
    source = SourceSpec("rest", {"base_url": api.url, "token": api.token}, options={"spec": text(spec)},
                        rate_limits={"retry": {"max_retries": 0}})  # fmt: skip
    made = RestReader(source, RunContext(Settings(home=""), now=lambda: now))
    (piece,) = made.slices(STREAM, made.window(STREAM, WindowRequest()), 1)
    return [row["id"] for batch in made.read(STREAM, piece) for row in batch.data.to_pylist()]


@requirement("STA-04")
def test_children_with_a_moment_of_their_own_wait_with_the_list_of_their_parents(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four of them are asked for at once, and only the first answer tells the API's clock."""
    there, asked_before = datetime.now(UTC), list[int]()
    monkeypatch.setattr(Client, "pause", lambda client, seconds: asked_before.append(len(api.asked)))
    api.rows = [{"id": at, "name": "row", "amount": 1, "updated_at": there.isoformat()} for at in range(1, 5)]
    child = SPEC["streams"]["cursor"] | {"parent": {"stream": "next", "values": {"id": "id"}}}
    streams = {"next": {**SPEC["streams"]["next"], "incremental": None}, "cursor": child}
    read(api, there + timedelta(seconds=90), SPEC | {"streams": streams})
    assert asked_before[0] == 1, "the parents' first page, and no child's"


@requirement("STA-04")
def test_a_read_waits_until_the_apis_own_clock_is_at_the_end_of_its_window(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API's clock is this machine's, and we run ninety seconds ahead of it."""
    there, waited = datetime.now(UTC), []

    def pause(client: Client, seconds: float) -> None:
        waited.append(seconds)
        at = (there + timedelta(seconds=10)).isoformat().replace("+00:00", "Z")
        api.rows = [{"id": 1, "name": "late", "amount": 1, "updated_at": at}]

    monkeypatch.setattr(Client, "pause", pause)
    assert read(api, there + timedelta(seconds=90)) == [1], "what changes before the window ends is in it"
    assert 85 < waited[0] < 92


def test_a_clock_far_behind_is_told(api: FakeApi) -> None:
    with pytest.raises(SourceUnavailable, match="the API's clock is behind"):
        read(api, datetime.now(UTC) + timedelta(hours=2))


def test_a_window_that_has_ended_there_is_read_at_once(api: FakeApi) -> None:
    read(api, datetime.now(UTC) - timedelta(seconds=5))
    assert [each.path for each in api.asked] == ["/cursor"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"date": NOW - timedelta(seconds=40)}, 40),
        ({"date": NOW - timedelta(seconds=40), "age": "30"}, 10),
        ({"date": NOW - timedelta(seconds=1)}, 0),
        ({"date": NOW + timedelta(seconds=40)}, 0),
        ({"date": NOW - timedelta(days=9)}, 0),
        ({"date": "yesterday"}, 0),
        ({"date": NOW - timedelta(seconds=40), "age": "x"}, 0),
        ({}, 0),
    ],
)
def test_how_far_a_clock_is_behind(headers: Mapping[str, datetime | str], seconds: int) -> None:
    said = {name: format_datetime(each) if isinstance(each, datetime) else each for name, each in headers.items()}
    assert seconds_to(NOW, said) == seconds
