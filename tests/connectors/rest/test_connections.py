"""Requests at once over TLS, of a real server that speaks HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypercorn.asyncio import serve
from hypercorn.config import Config

from dativo_provider.connectors.rest import pool
from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.errors import DativoError, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.support import requirement

ROWS = 400
HANG, CUT = threading.Event(), threading.Event()
SPEC = {
    "api": "two", "base_url": "https://127.0.0.1",
    "streams": {
        "parents": {"request": "/parents", "columns": {"id": "long"}},
        "children": {"request": "/children/{parent.id}", "parent": {"stream": "parents", "values": {"id": "id"}},
                     "columns": {"id": "long", "version": "string", "client": "long"}},
    },
}  # fmt: skip


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await receive()
    number = scope["path"].rpartition("/")[2]
    if number == "parents":
        if HANG.is_set():
            await asyncio.sleep(60)
        body: Any = [{"id": each} for each in range(ROWS)]
    else:
        body = [{"id": int(number), "version": scope["http_version"], "client": scope["client"][1]}]
    if CUT.is_set():
        CUT.clear()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await asyncio.sleep(0.05)  # its headers are read alone
        await send({"type": "http.response.body", "body": b"[{}"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def certificate(folder: Path) -> tuple[str, str]:
    """Files of a certificate of this machine that signs itself, and of its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    return str(folder / "cert.pem"), str(folder / "key.pem")


@contextmanager
def serving(
    folder: Path, monkeypatch: pytest.MonkeyPatch, protocols: list[str], requests: int = 1_000
) -> Iterator[str]:
    """The address of a server that ends a connection after so many `requests`."""
    config, listening = Config(), socket.create_server(("127.0.0.1", 0))
    config.certfile, config.keyfile = certificate(folder)
    config.bind, config.accesslog, config.errorlog = [f"fd://{listening.fileno()}"], None, None
    config.graceful_timeout = 0.1
    config.alpn_protocols, config.keep_alive_max_requests = protocols, requests
    monkeypatch.setenv("SSL_CERT_FILE", config.certfile)
    monkeypatch.setattr(pool, "trusted", pool.trusted.__wrapped__)  # reads them anew
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    job = serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    thread = threading.Thread(target=loop.run_until_complete, args=(job,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


def read(url: str) -> list[dict[str, Any]]:
    """Rows of one reader that repeats no request."""
    limits = {"retry": {"max_retries": 0}}
    source = SourceSpec("rest", {"base_url": url}, options={"spec": json.dumps(SPEC)}, rate_limits=limits)
    stream = StreamSpec("children", "children", "t", ContractSpec("t"))
    with closing((ctx := RunContext(Settings(home=""))).kept):
        made = RestReader(source, ctx)
        return [row for batch in made.read(stream, Slice(0, "children")) for row in batch.data.to_pylist()]


@pytest.mark.parametrize(("protocols", "version"), [(["h2", "http/1.1"], "2"), (["http/1.1"], "1.1")])
@requirement("PRF-01")
def test_requests_at_once_use_connections_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocols: list[str], version: str
) -> None:
    """Four threads ask; on one connection of HTTP/2 httpcore would mix up their streams."""
    with serving(tmp_path, monkeypatch, protocols) as url:
        rows = read(url)
    assert [row["id"] for row in rows] == list(range(ROWS))
    assert {row["version"] for row in rows} == {version}
    assert len({row["client"] for row in rows}) <= 5, "by the port that each request came from"


def test_a_connection_is_given_up_before_the_server_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that comes with GOAWAY would be lost."""
    monkeypatch.setattr(pool, "_WORN", 20)
    with serving(tmp_path, monkeypatch, ["h2"], requests=25) as url:
        rows = read(url)
    assert [row["id"] for row in rows] == list(range(ROWS))


@requirement("ERR-01")
def test_an_answer_of_http2_that_is_cut_off_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, monkeypatch, ["h2"]) as url, closing((ctx := RunContext(Settings(home=""))).kept):
        made = RestReader(SourceSpec("rest", {"base_url": url}, options={"spec": json.dumps(SPEC)},
                                     rate_limits={"retry": {"max_retries": 0}}), ctx)  # fmt: skip
        CUT.set()
        with pytest.raises(SourceUnavailable):
            made.check()


@requirement("ERR-02")
def test_a_wait_for_an_answer_over_http2_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(tmp_path, monkeypatch, ["h2"]) as url, closing((ctx := RunContext(Settings(home=""))).kept):
        made = RestReader(SourceSpec("rest", {"base_url": url}, options={"spec": json.dumps(SPEC)}), ctx)
        made.check()
        HANG.set()
        ctx.on_cancel.append(made.interrupt)
        threading.Timer(0.5, ctx.cancel).start()
        began = monotonic()
        try:
            with pytest.raises(DativoError):
                made.check()
        finally:
            HANG.clear()
        assert monotonic() - began < 3
