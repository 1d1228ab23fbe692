"""What the leaves share: a child process that cannot outlive us, a free port, a ready probe."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIRED = "DATIVO_REQUIRE_SERVICES"


class Unavailable(Exception):
    """The server cannot be had here; the text says how to get it."""


def services_folder() -> Path:
    """Where installed binaries live; git-ignored. Never a link to it: scripts hold the path that they were made at."""
    return Path(os.environ.get("DATIVO_SERVICES_DIR") or ROOT / ".services").resolve()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scratch(name: str) -> Path:
    """A new folder whose parents every user may traverse."""
    folder = Path(tempfile.mkdtemp(prefix=f"dativo-{name}-"))
    folder.chmod(0o755)
    return folder


class Server:
    """A server process under a guard that ends it when we stop, are interrupted or die.

    `user` runs it as that account (we must be root). Its folder goes away with it.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, *, user: str = "", env: Mapping[str, str] | None = None
    ) -> None:
        self.folder, self.log = folder, folder / "server.log"
        guard = [sys.executable, "-I", str(Path(__file__).with_name("guard.py")), str(folder), user, *command]
        with self.log.open("ab") as log:
            self.guard = subprocess.Popen(
                guard,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=folder,
                env={**os.environ, **(env or {})},
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Raises `Unavailable` with the end of its log when it does not come up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.guard.poll() is None:
            if ready():
                return
            time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        self.stop()
        raise Unavailable(f"the server did not get ready:\n{tail}")

    def stop(self) -> None:
        if self.guard.stdin and not self.guard.stdin.closed:
            self.guard.stdin.close()
        self.guard.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)


def run(command: Sequence[str], *, user: str = "", **more: object) -> str:
    """Runs a tool to its end and returns what it printed. Raises `Unavailable` with its words."""
    done = subprocess.run(
        list(command),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        user=user or None,
        group=user or None,
        extra_groups=[] if user else None,
        **more,  # type: ignore[call-overload]
    )
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed ({done.returncode}): {done.stdout.strip()[-2000:]}")
    return str(done.stdout)
