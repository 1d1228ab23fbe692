"""A call into another interpreter: a request in, an answer out, in a process that cannot outlive or outgrow its caller.

The process sees an empty folder, no secret and no variable but its recipe's. It has its own process group, which ends
with the answer, the time limit, the memory limit (Linux), a cancelled run, or its caller's death.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO, Any

from dativo_provider.files.temporary import TemporaryFolder

__all__ = ["Call", "WorkerFailed", "call", "end_group", "resident_mb"]

_RUNNER = Path(__file__).with_name("runner.py")
_TICK = 0.02
_KEPT = 200  # last lines of what it says
_ANSWER_BYTES = 64 << 20
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class WorkerFailed(Exception):
    """The process gave no answer; the text says why, without any value of a row."""


@dataclass(frozen=True)
class Call:
    """`worker` is a file with `answer(request) -> answer`, both JSON; it runs under `python` and imports nothing of
    ours. `modules` are folders it may import from besides."""

    python: str
    worker: Path
    seconds: float = 300.0
    memory_mb: int = 2048
    variables: Mapping[str, str] = field(default_factory=dict)
    modules: tuple[str, ...] = ()


def call(
    wanted: Call,
    request: Callable[[Path], Mapping[str, Any]],
    check_cancelled: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """The answer. `request(folder)` may put files into the folder that the process starts in.

    Raises `WorkerFailed`, and what `check_cancelled` raises.
    """
    with TemporaryFolder("engine") as name:
        folder = Path(name)
        asked = {**request(folder), "modules": list(wanted.modules)}
        (folder / "request.json").write_text(json.dumps(asked), encoding="utf-8")
        process = _start(wanted, folder)
        said: deque[bytes] = deque(maxlen=_KEPT)
        ear = Thread(target=_listen, args=(process.stderr, said), daemon=True)
        ear.start()
        try:
            _watch(process, wanted, check_cancelled)
        finally:
            code = end_group(process)
            ear.join(timeout=1)
        if code:
            raise WorkerFailed(_why(code, said))
        return _answer(folder / "answer.json")


def _start(wanted: Call, folder: Path) -> subprocess.Popen[bytes]:
    home = str(folder)
    variables = {"HOME": home, "TMPDIR": home, "PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", **wanted.variables}
    command = [wanted.python, "-I", "-B", str(_RUNNER), str(wanted.worker)]
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,  # closes with us, and the process ends with it
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=variables,
            start_new_session=True,
        )
    except OSError as error:
        raise WorkerFailed(f"its interpreter does not start ({error.strerror})") from error


def _listen(pipe: IO[bytes] | None, said: deque[bytes]) -> None:
    while pipe and (line := pipe.readline(4096)):
        said.append(line)


def _watch(process: subprocess.Popen[bytes], wanted: Call, check_cancelled: Callable[[], None]) -> None:
    """Until it has ended by itself; it is not reaped, so that its group's number stays its own."""
    deadline = time.monotonic() + wanted.seconds
    while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        check_cancelled()
        if time.monotonic() > deadline:
            raise WorkerFailed(f"it took longer than {wanted.seconds:g} s and was ended")
        if resident_mb(process.pid) > wanted.memory_mb:
            raise WorkerFailed(f"it took more than {wanted.memory_mb} MB of memory and was ended")
        time.sleep(_TICK)


def resident_mb(pid: int) -> float:
    """Of the process and its children, where /proc tells; else 0."""
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        with suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1])
            waiting += map(int, Path(f"/proc/{each}/task/{each}/children").read_text().split())
    return total * _PAGE / 2**20


def end_group(process: subprocess.Popen[bytes]) -> int:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    if process.stdin:
        process.stdin.close()
    return code


def _answer(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _ANSWER_BYTES:
            raise WorkerFailed("its answer is too large")
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise WorkerFailed("it ended without an answer") from None
    if not isinstance(found, dict):
        raise WorkerFailed("its answer is none")
    return found


_ERROR = re.compile(rb"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt))(?::\s*(.*))?$")
_TELLING = ("ImportError", "ModuleNotFoundError")  # others quote the values that they stumbled over


def _why(code: int, said: deque[bytes]) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(-code).name}"
    for line in reversed(said):
        if found := _ERROR.match(line.strip()):
            kind = found[1].decode()
            text = f": {(found[2] or b'').decode(errors='replace')[:300]}" if kind in _TELLING else ""
            return f"it ended with {kind}{text}"
    return f"it ended with exit code {code}"
