"""What the other interpreter runs first: `runner.py WORKER`. Standard library only, any Python from 3.9 on.

Reads `request.json` in the working folder, calls the worker's `answer`, and writes `answer.json`.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import threading


def _end_with_caller() -> None:
    """Our input closes when the caller dies, however it dies."""
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


def main(worker: str) -> None:
    threading.Thread(target=_end_with_caller, daemon=True).start()
    with open("request.json", encoding="utf-8") as file:
        request = json.load(file)
    sys.path += request["modules"]
    answer = runpy.run_path(worker)["answer"](request)
    with open("answer.part", "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os.replace("answer.part", "answer.json")
    sys.stderr.flush()
    os._exit(0)  # no threads, no exit handlers of whatever was imported


if __name__ == "__main__":
    main(sys.argv[1])
