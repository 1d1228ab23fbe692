"""Runs a command that must not outlive its caller: `guard.py COMMAND...`. Standard library only.

Our input closes when the caller dies, however it dies; the whole process group ends then. The command has no input.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def _end_with_caller() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> None:
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_caller, daemon=True).start()
    code = child.wait()
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(sys.argv[1:])
