"""Requests at once over TLS, of a real server that would speak HTTP/2 as well."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypercorn.asyncio import serve
from hypercorn.config import Config

from dativo_provider.connectors.rest.reader import RestReader
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.support import requirement

ROWS = 400
SPEC = {
    "api": "two", "base_url": "https://127.0.0.1",
    "streams": {
        "parents": {"request": "/parents", "columns": {"id": "long"}},
        "children": {"request": "/children/{parent.id}", "columns": {"version": "string", "client": "long"},
                     "parent": {"stream": "parents", "values": {"id": "id"}}},
    },
}  # fmt: skip


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await receive()
    record = {"version": scope["http_version"], "client": scope["client"][1]}
    body = [{"id": number} for number in range(ROWS)] if scope["path"] == "/parents" else [record]
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


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    config, listening = Config(), socket.create_server(("127.0.0.1", 0))
    config.certfile, config.keyfile = certificate(tmp_path)
    config.bind, config.accesslog = [f"fd://{listening.fileno()}"], None
    monkeypatch.setenv("SSL_CERT_FILE", config.certfile)
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    job = serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    thread = threading.Thread(target=loop.run_until_complete, args=(job,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)


@requirement("PRF-01")
def test_requests_at_once_use_connections_again(url: str) -> None:
    """Four threads ask; httpcore's HTTP/2 would mix up their streams."""
    source = SourceSpec("rest", {"base_url": url}, options={"spec": json.dumps(SPEC)})
    stream = StreamSpec("children", "children", "t", ContractSpec("t"))
    made = RestReader(source, ctx := RunContext(Settings(home="")))
    rows = [row for batch in made.read(stream, Slice(0, "children")) for row in batch.data.to_pylist()]
    ctx.kept.close()
    assert len(rows) == ROWS
    assert len({row["client"] for row in rows}) <= 5, "by the port that each request came from"
