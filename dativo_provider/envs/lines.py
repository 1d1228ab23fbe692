"""What a command says, line by line, while it runs.

Like a worker (`process`), it sees no secret and no variable but what it is given, and cannot outlive its caller. It
waits when nobody reads on, so that no more than a pipe's worth is ever held.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from dativo_provider.envs.process import WorkerFailed, end_group, resident_mb

__all__ = ["Conversation", "Ended", "Program"]

_GUARD = Path(__file__).with_name("guard.py")
_TICK = 0.2
_CHUNK = 1 << 20
_LONGEST = 128 << 20  # bytes of one line
_KEPT = 50  # last lines of what it complains of


class Ended(WorkerFailed):
    """It ended with `code`, and these were the last lines of its standard error."""

    def __init__(self, why: str, code: int, said: tuple[str, ...]) -> None:
        super().__init__(why)
        self.code, self.said = code, said


@dataclass(frozen=True)
class Program:
    """`folder` is where it starts, its home and its place for temporary files."""

    command: tuple[str, ...]
    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    silent_seconds: float = 3600.0  # without a line on either output
    memory_mb: int = 2048


class Conversation:
    """`hear` gets each line of standard error; `check_cancelled` is asked all the time and may raise."""

    def __init__(
        self, program: Program, hear: Callable[[str], None], check_cancelled: Callable[[], None] = lambda: None
    ) -> None:
        self._program, self._hear_line, self._check_cancelled = program, hear, check_cancelled
        self._said: deque[str] = deque(maxlen=_KEPT)
        self._half = b""  # of a line of standard error
        self._process: subprocess.Popen[bytes] | None = None
        self._looked = 0.0

    def lines(self) -> Generator[tuple[int, bytes], None, None]:
        """Number and text of each line of standard output. Returning means that it ended well.

        Raises `Ended`, `WorkerFailed` when it hangs or takes too much, and what `check_cancelled` raises.
        """
        self._process = process = self._start()
        try:
            yield from enumerate(_lines(self._chunks(process)), 1)
        finally:
            code = end_group(process)
            self._listen(b"\n" if self._half else b"")
        if code:
            raise Ended(_why(code), code, tuple(self._said))

    def kill(self) -> None:
        """From any thread; `lines` then ends with an error."""
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _start(self) -> subprocess.Popen[bytes]:
        program, home = self._program, str(self._program.folder)
        own = {"HOME": home, "TMPDIR": home, "PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"}
        try:
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(_GUARD), *program.command],
                stdin=subprocess.PIPE,  # closes with us, and the process ends with it
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=program.folder,
                env={**own, **program.variables},
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerFailed(f"it does not start ({error.strerror})") from error

    def _chunks(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        with selectors.DefaultSelector() as selector:
            for pipe in (process.stdout, process.stderr):
                if pipe:
                    selector.register(pipe, selectors.EVENT_READ)
            heard = time.monotonic()
            while selector.get_map():
                ready = selector.select(_TICK)
                self._watch(process, heard)
                if not ready and _has_ended(process) and not selector.select(0):  # nothing came while we watched
                    return  # something it started still holds its outputs
                for key, _ in ready:
                    data = os.read(key.fd, _CHUNK)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is process.stdout:
                        yield data
                    else:
                        self._listen(data)
                    heard = time.monotonic()
        while not _has_ended(process):  # both outputs are closed
            self._watch(process, heard)
            time.sleep(0.005)

    def _watch(self, process: subprocess.Popen[bytes], heard: float) -> None:
        self._check_cancelled()
        now, program = time.monotonic(), self._program
        if now - heard > program.silent_seconds:
            raise WorkerFailed(f"it said nothing for {program.silent_seconds:g} s and was ended")
        if now - self._looked > 1.0:
            self._looked = now
            if resident_mb(process.pid) > program.memory_mb:
                raise WorkerFailed(f"it took more than {program.memory_mb} MB of memory and was ended")

    def _listen(self, data: bytes) -> None:
        *whole, self._half = (self._half + data).split(b"\n")
        self._half = self._half[-_CHUNK:]
        for line in whole:
            text = line.decode(errors="replace").rstrip()
            if text:
                self._said.append(text)
                self._hear_line(text)


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """It is not reaped by this, so that its group's number stays its own."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest: list[bytes] = []
    held = 0
    for chunk in chunks:
        first, *more = chunk.split(b"\n")
        rest.append(first)
        held += len(first)
        if held > _LONGEST:
            raise WorkerFailed(f"a line of its output is longer than {_LONGEST >> 20} MB")
        if more:
            yield b"".join(rest)
            yield from more[:-1]
            rest, held = [more[-1]], len(more[-1])
    if held:
        yield b"".join(rest)


def _why(code: int) -> str:
    number = -code if code < 0 else code - 128
    if number > 0:
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(number).name}"
    return f"it ended with exit code {code}"
