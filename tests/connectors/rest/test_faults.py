"""A hundred faults in a thousand pages: nothing lost, nothing doubled."""

from __future__ import annotations

import random
from itertools import count

import pytest

from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.connectors.rest.fake import Answer, Asked, FakeApi, serving
from tests.connectors.rest.toy import SPEC, text
from tests.support import requirement

FAULTS = (
    Answer(500, {}), Answer(503, b""), Answer(429, {}, {"Retry-After": "0"}), Answer(408, {}),
    Answer(200, b"<html>log in</html>"), Answer(200, b'{"items": [{"id": 1'), Answer(200, {"items": []}, cut=True),
)  # fmt: skip


@requirement("ERR-02", "PRF-01")
@pytest.mark.parametrize("style", ["after"])
def test_a_hundred_faults_in_a_thousand_pages(style: str) -> None:
    api, dice = FakeApi(page=3), random.Random(style)
    api.rows = [{"id": number, "updated_at": "2026-03-01T12:00:00Z"} for number in range(3_000)]
    broken, asked = set(dice.sample(range(1_100), 100)), count()
    met = []

    def fault(_: Asked) -> Answer | None:
        if next(asked) not in broken:
            return None
        met.append(dice.choice(FAULTS))
        return met[-1]

    api.faults.append(fault)
    limits = {"retry": {"max_retries": 9, "max_backoff_seconds": 0.001}}
    with serving(api):
        source = SourceSpec("rest", {"base_url": api.url, "token": api.token}, options={"spec": text(SPEC)},
                            rate_limits=limits)  # fmt: skip
        made = RestReader(source, RunContext(Settings(home="")))
        stream = StreamSpec(style, style, "t", ContractSpec("t"))
        found = [row["id"] for batch in made.read(stream, Slice(0, style)) for row in batch.data.to_pylist()]
    assert len(met) == 100
    assert sorted(found) == list(range(3_000))
