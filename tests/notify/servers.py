"""An HTTP server and a mail server that remember what they were sent; `answers` go first, then 200."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Inbox:
    url: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    received: list[Received] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    body: bytes = b"ok"
    pause: float = 0.0
    logins: list[str] = field(default_factory=list)
    refuse: bool = False


@contextmanager
def http_inbox() -> Iterator[Inbox]:
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            inbox.received.append(Received(self.path, dict(self.headers), raw))
            time.sleep(inbox.pause)
            code, headers = inbox.answers.pop(0) if inbox.answers else (200, {})
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(inbox.body)))
            self.end_headers()
            self.wfile.write(inbox.body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox.port = server.server_address[1]
        inbox.url = f"http://127.0.0.1:{inbox.port}"
        with _serving(server):
            yield inbox


@contextmanager
def mail_inbox() -> Iterator[Inbox]:
    """Speaks as much SMTP as a client needs, without encryption. RFC 5321"""
    inbox = Inbox()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb == "DATA":
                    self._say("354 go on")
                    inbox.mails.append(self._mail())
                elif verb == "EHLO":
                    self.wfile.write(b"250-here\r\n250 AUTH PLAIN\r\n")
                    continue
                elif verb == "AUTH":
                    inbox.logins.append(line)
                    self._say("235 welcome")
                    continue
                elif verb == "RCPT" and inbox.refuse:
                    self._say("550 nobody here")
                    continue
                self._say("221 bye" if verb == "QUIT" else "250 ok")

        def _mail(self) -> str:
            lines: list[str] = []
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            return "\n".join(lines)

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        inbox.port = server.server_address[1]
        with _serving(server):
            yield inbox


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
