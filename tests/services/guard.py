"""Runs a server until our standard input closes: that also happens when the test process is killed.

    guard.py FOLDER USER COMMAND...     (USER may be empty)

A plain script without imports from the project, so that it starts in milliseconds.
"""

import os
import select
import shutil
import signal
import subprocess
import sys


def main(folder: str, user: str, command: list[str]) -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a server born deaf to it (a JVM, say) would never hear of the end
    account = {"user": user, "group": user, "extra_groups": []} if user else {}
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, **account)  # type: ignore[call-overload]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        while server.poll() is None:
            readable, _, _ = select.select([sys.stdin], [], [], 0.5)
            if readable and not os.read(0, 1):
                break
    finally:
        code = end(server)
        shutil.rmtree(folder, ignore_errors=True)
    return code


def end(server: "subprocess.Popen[bytes]") -> int:
    """First the fast way down (PostgreSQL drops its sessions on SIGINT), then SIGQUIT, then by force."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if server.poll() is not None:
            break
        server.send_signal(number)
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            continue
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
