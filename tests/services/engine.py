"""Another engine in an interpreter of its own: one process answers many questions, so that it starts only once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.services.framework import scratch

ANSWER = "answer: "
Rows = list[list[Any]]


class Engine:
    """`program` reads a JSON job a line and answers each by a line that begins with `ANSWER`; it ends with its input,
    so it cannot outlive us."""

    def __init__(self, command: Sequence[str], program: str, env: Mapping[str, str], **settings: Any) -> None:
        self._settings, self._folder = settings, scratch("engine")
        self._log = self._folder / "engine.log"
        self._command = [*command, str(Path(__file__).with_name(program))]
        self._env = {**os.environ, "TZ": "UTC", "HOME": str(self._folder), **env}
        self._process: subprocess.Popen[str] | None = None

    def query(self, tables: Mapping[str, str], statements: Sequence[str]) -> list[Rows]:
        """The rows of each statement, as JSON values; `tables` are views of that name over a `metadata.json`."""
        process = self._running()
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"tables": tables, "statements": statements, **self._settings}) + "\n")
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith(ANSWER):
                return self._told(json.loads(line.removeprefix(ANSWER)))
        raise AssertionError(f"{self._command[-1]} ended:\n{self._log.read_text(errors='replace')[-4000:]}")

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            with self._log.open("w") as log:
                pipe = subprocess.PIPE
                self._process = subprocess.Popen(
                    self._command, stdin=pipe, stdout=pipe, stderr=log, text=True, env=self._env, cwd=self._folder
                )
        return self._process

    def _told(self, answer: dict[str, Any]) -> list[Rows]:
        if "error" in answer:
            raise AssertionError(answer["error"])
        found: list[Rows] = answer["rows"]
        return found

    def stop(self) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
            self._process.wait(timeout=30)
        shutil.rmtree(self._folder, ignore_errors=True)
