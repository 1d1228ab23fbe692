"""What answers cost that are 50 ms away: over HTTP/2 against HTTP/1.1, and with pages of a list asked for ahead.

.venv/bin/python -m benchmarks.rest_latency [PAGES]
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from hypercorn.asyncio import serve
from hypercorn.config import Config

from benchmarks.rest_pages import PAGE, SPEC, STREAM, record
from benchmarks.result import Result
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.connectors.rest.test_connections import certificate

WAY = 0.025  # seconds
ROUNDS = 5
COUNTED = {"type": "offset", "param": "offset", "size": PAGE}


# the API, in a process of its own ---------------------------------------------------------------------------


async def app(scope: Any, receive: Any, send: Any) -> None:
    """`/PAGES?offset=N`: records of a list of so many pages."""
    if scope["type"] != "http":
        return
    await receive()
    total = int(scope["path"].strip("/")) * PAGE
    start = int(parse_qs(scope["query_string"].decode()).get("offset", ["0"])[0])
    body = (
        b'{"data": [' + RECORDS[start // PAGE % 10] + b'], "total": %d}' % total
        if start < total
        else b'{"data": [], "total": 0}'
    )
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on what comes, each piece `WAY` later than it came."""
    loop, pieces = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def take() -> None:
        with suppress(OSError):
            while piece := await reader.read(1 << 16):
                pieces.put_nowait((loop.time() + WAY, piece))
        pieces.put_nowait((loop.time() + WAY, b""))

    taking = asyncio.create_task(take())
    while True:
        due, piece = await pieces.get()
        await asyncio.sleep(due - loop.time())
        if not piece:
            break
        writer.write(piece)
    await taking
    writer.close()


async def answering(folder: str, protocol: str) -> None:
    config, near = Config(), socket.create_server(("127.0.0.1", 0))
    config.certfile, config.keyfile = f"{folder}/cert.pem", f"{folder}/key.pem"
    config.bind, config.accesslog, config.errorlog = [f"fd://{near.fileno()}"], None, None
    config.alpn_protocols = [protocol]

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(*near.getsockname())
        await asyncio.gather(late(reader, outer), late(inner, writer), return_exceptions=True)

    far = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(far.sockets[0].getsockname()[1], flush=True)
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)  # type: ignore[arg-type]


@contextmanager
def api(folder: str, protocol: str) -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.rest_latency", folder, protocol]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"https://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


# the reader -------------------------------------------------------------------------------------------------


class Spent(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def read(url: str, count: int, **paginate: Any) -> Spent:
    rows = SPEC["streams"]["rows"] | {"request": f"/{count}", "paginate": COUNTED | paginate}  # type: ignore[index]
    source = SourceSpec("rest", {"base_url": url}, options={"spec": json.dumps(SPEC | {"streams": {"rows": rows}})})
    with closing((ctx := RunContext(Settings(home=""))).kept):
        wall, cpu = time.perf_counter(), time.process_time()
        found = sum(batch.rows for batch in RestReader(source, ctx).read(STREAM, Slice(0, "rows")))
        assert found == count * PAGE
        return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def compared(folder: str, count: int) -> tuple[list[tuple[Spent, Spent]], list[Spent]]:
    """Of HTTP/1.1 and HTTP/2; and of HTTP/2 where the list says its total."""
    with api(folder, "http/1.1") as old, api(folder, "h2") as new:
        for url in (old, new):
            read(url, 3)
        pairs = [(read(old, count), read(new, count)) for _ in range(ROUNDS)]
        return pairs, [read(new, count, total="total", at_once=8) for _ in range(ROUNDS)]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with TemporaryDirectory() as folder:
        os.environ["SSL_CERT_FILE"], _ = certificate(Path(folder))
        pairs, ahead = compared(folder, count)
    told = {"pages": count, "latency_ms": 50, "cpu": round(median(new.cpu / old.cpu for old, new in pairs), 2)}
    Result("rest_http2", "pages over HTTP/2, each after the other", "HTTP/1.1", "x",
           [new.wall / old.wall for old, new in pairs], 1.2, better="less", detail=told).record()  # fmt: skip
    one = median(new.wall for _, new in pairs)
    minute = 60 * PAGE * count
    told |= {"before": round(minute / one), "records_per_minute": round(median(minute / each.wall for each in ahead))}
    Result("rest_ahead", "pages of a list that says its total", "each after the other", "x",
           [one / each.wall for each in ahead], 2, detail=told).record()  # fmt: skip


RECORDS = [b",".join(record(number, page).encode() for number in range(PAGE)) for page in range(10)]

if __name__ == "__main__":
    if len(sys.argv) == 3:
        asyncio.run(answering(sys.argv[1], sys.argv[2]))
    else:
        main()
