"""Runs in an engine's interpreter: one of our workers, asked many times, so that the engine is imported once."""

from __future__ import annotations

import runpy
from typing import Any


def answer(request: dict[str, Any]) -> dict[str, Any]:
    worker = runpy.run_path(request["worker"])["answer"]
    return {"found": {name: worker(each)["answers"] for name, each in request["requests"].items()}}
