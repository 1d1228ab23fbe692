"""How many records a minute one core makes of an API's pages: bytes of an answer → JSON → Arrow, as the reader does it.

Also its peak memory over a million records, and how long a process takes to its first record.

.venv/bin/python -m benchmarks.rest_pages [PAGES]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from benchmarks.result import Result
from dativo_provider.connectors.rest.pool import HttpPool
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice

PAGE = 1_000
STREAM = StreamSpec("rows", "rows", "rows", ContractSpec("rows"))
SPEC = {
    "api": "bench", "base_url": "http://bench.invalid",
    "streams": {"rows": {
        "request": "/rows", "records": "data",
        "paginate": {"type": "cursor", "param": "after", "next": "next"},
        "key": ["id"],
        "columns": {
            "id": {"type": "long", "required": True}, "number": "string", "amount": "decimal(18,2)", "paid": "boolean",
            "country": {"type": "string", "path": "address.country"}, "updated_at": "timestamptz",
            "created": {"type": "timestamptz", "form": "epoch"}, "tags": {"type": "string", "form": "json"},
        },
    }},
}  # fmt: skip


def pages(count: int) -> Callable[[httpx.Request], httpx.Response]:
    """An API in this process: what it says is cheap, so that what we do is what is measured."""
    made = [b",".join(record(number, page).encode() for number in range(PAGE)) for page in range(10)]

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params.get("after", 0))
        following = b'"%d"' % (number + 1) if number + 1 < count else b"null"
        return httpx.Response(200, content=b'{"data": [' + made[number % 10] + b'], "next": ' + following + b"}")

    return answer


def record(number: int, page: int) -> str:
    return json.dumps({
        "id": page * PAGE + number, "number": f"R-{number:06}", "amount": f"{number}.25", "paid": number % 2 == 0,
        "address": {"country": "DE", "city": "Berlin"}, "created": 1_770_000_000 + number,
        "updated_at": "2026-03-01T12:00:00Z", "tags": ["a", "b"],
    })  # fmt: skip


def reader(answer: Callable[[httpx.Request], httpx.Response]) -> RestReader:
    made = RestReader(SourceSpec("rest", options={"spec": json.dumps(SPEC)}), RunContext(Settings(home="")))
    made._client()._login.__dict__["http"] = HttpPool(lambda: httpx.Client(transport=httpx.MockTransport(answer)))
    return made


def read(count: int) -> Iterator[int]:
    for batch in reader(pages(count)).read(STREAM, Slice(0, "rows")):
        yield batch.rows


def speed(count: int) -> float:
    """Records a minute of CPU time."""
    began = time.process_time()
    rows = sum(read(count))
    assert rows == count * PAGE
    return 60 * rows / (time.process_time() - began)


def first() -> float:
    """Seconds from the start of a process to the first record."""
    code = "import benchmarks.rest_pages as b; next(b.read(5))"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def memory(count: int) -> float:
    """Peak MB of a process that reads so many pages."""
    code = f"import benchmarks.rest_pages as b; sum(b.read({count})); print(b.peak())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def peak() -> float:
    """Of this program alone: `ru_maxrss` begins with what the parent had."""
    told = Path("/proc/self/status").read_text()
    return int(told.partition("VmHWM:")[2].split()[0]) / 1024


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    speed(10)
    figures: dict[str, Any] = {"rows": count * PAGE, "columns": len(SPEC["streams"]["rows"]["columns"])}  # type: ignore[index]
    speeds = [speed(count) for _ in range(5)]
    found = {**figures, "records_per_minute": round(median(speeds))}
    Result("rest_pages", "pages of an API to Arrow, per minute of one core", "300,000 records", "x",
           [each / 300_000 for each in speeds], 1, detail=found).record()  # fmt: skip
    Result("rest_first", "an API's first record", "from the start of the process", "s",
           [first() for _ in range(5)], 2, better="less").record()  # fmt: skip
    small, large = memory(20), memory(1_000)
    Result("rest_memory", "peak memory of 1,000,000 records of an API", f"of 20,000 ({small:.0f} MB)", "x",
           [large / small], 1.3, better="less", detail={"mb": round(large)}).record()  # fmt: skip


if __name__ == "__main__":
    main()
