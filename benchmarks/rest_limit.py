"""How much of a vendor's limit one reader uses, and whether it ever goes over it, with answers that take 50 ms.

Time is virtual: it passes where the reader waits and where the API answers, so an hour of requests takes seconds.

.venv/bin/python -m benchmarks.rest_limit
"""

from __future__ import annotations

import json
from bisect import bisect_left
from unittest.mock import patch

import httpx

from benchmarks.result import Result
from dativo_provider.connectors.rest.pool import HttpPool
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.connectors.vendors.clock import Clock

LATENCY = 0.05
PAGE = 100
STREAM = StreamSpec("rows", "rows", "rows", ContractSpec("rows"))
LIMITS = {"100 in 10 s": (100, 10), "200 a minute": (200, 60), "5 a second": (5, 1), "5,000 an hour": (5_000, 3_600)}
ROWS = json.dumps([{"id": number} for number in range(PAGE)])


def spec(requests: int, per: int) -> str:
    stream = {"request": "/rows", "records": "data", "columns": {"id": "long"},
              "paginate": {"type": "cursor", "param": "after", "next": "next"}}  # fmt: skip
    return json.dumps({"api": "bench", "base_url": "http://bench.invalid", "streams": {"rows": stream},
                       "limits": {"default": {"requests": requests, "per": per}}})  # fmt: skip


def moments(requests: int, per: int) -> list[float]:
    """When each request arrived, over five times the limit."""
    clock, arrived = Clock(), list[float]()

    def answer(_: httpx.Request) -> httpx.Response:
        clock.sleep(LATENCY / 2)
        arrived.append(clock.monotonic())
        clock.sleep(LATENCY / 2)
        more = f'"{len(arrived)}"' if len(arrived) < 5 * requests else "null"
        return httpx.Response(200, content=f'{{"data": {ROWS[:-1]}, {{"id": {len(arrived)}}}], "next": {more}}}')

    with patch("dativo_provider.connectors.rest.client.monotonic", clock.monotonic):
        ctx = RunContext(Settings(home=""), now=clock.now, cancelled=clock)
        made = RestReader(SourceSpec("rest", options={"spec": spec(requests, per)}), ctx)
        made._client()._login.__dict__["http"] = HttpPool(lambda: httpx.Client(transport=httpx.MockTransport(answer)))
        for _ in made.read(STREAM, Slice(0, "rows")):
            pass
    return arrived


def most(arrived: list[float], per: float) -> int:
    """The most requests within any `per` seconds."""
    return max(bisect_left(arrived, at + per) - number for number, at in enumerate(arrived))


def main() -> None:
    used, over, fastest = [], [], 0.0
    for name, (requests, per) in LIMITS.items():
        arrived = moments(requests, per)
        spent = arrived[-1] - arrived[0]
        used.append(len(arrived) / (requests * spent / per))
        over.append(most(arrived, per) / requests)
        fastest = max(fastest, 60 * PAGE * len(arrived) / spent)
        print(f"{name}: {used[-1]:.3f} of it used, at most {over[-1]:.3f} of it in any such time")
    told = {"limits": list(LIMITS), "latency_ms": 50, "records_per_minute": round(fastest)}
    Result("rest_limit", "requests under a vendor's limit, answers after 50 ms", "what the limit allows", "x",
           used, 0.9, detail=told).record()  # fmt: skip
    Result("rest_limit_kept", "most requests within the time of a limit", "the limit", "x",
           over, 1.05, better="less", detail=told).record()  # fmt: skip


if __name__ == "__main__":
    main()
