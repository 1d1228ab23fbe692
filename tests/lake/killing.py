"""Kills real processes (SIGKILL) at a named place in the code, without any hook in that code.

A child is forked from a server that has imported everything already, so a hundred kills take seconds:

    ended = in_child(work, argument, kill=Point("dativo_provider.lake.commit:_commit_once", "after"))
    assert ended.killed
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import getattr_static
from multiprocessing.connection import Connection
from typing import Any, Literal

__all__ = ["Ended", "Point", "Running", "in_child", "plant", "start_child"]

PRELOADED = ["tests.crash.preload", "tests.lake.support"]


@dataclass(frozen=True)
class Point:
    """Die `before` or `after` the `call`-th call of `module:name` (or `module:Class.name`)."""

    place: str
    when: Literal["before", "after"] = "before"
    call: int = 1


@dataclass(frozen=True)
class Ended:
    """`result` is what the work returned; `error` its traceback when it raised."""

    exitcode: int
    result: Any = None
    error: str = ""

    @property
    def killed(self) -> bool:
        return self.exitcode == -signal.SIGKILL


@dataclass
class Running:
    process: Any
    results: Connection

    def wait(self, seconds: float = 120) -> Ended:
        try:
            outcome = self.results.recv() if self.results.poll(seconds) else (None, "")
        except EOFError:  # killed: nobody is left to write
            outcome = (None, "")
        self.process.join(seconds)
        assert self.process.exitcode is not None, "the child hangs"
        return Ended(self.process.exitcode, *outcome)


def in_child(work: Callable[..., Any], *arguments: Any, kill: Point | None = None) -> Ended:
    """`work(*arguments)`, both importable and picklable, in a process of its own that dies at `kill`."""
    return start_child(work, *arguments, kill=kill).wait()


def start_child(work: Callable[..., Any], *arguments: Any, kill: Point | None = None) -> Running:
    receive, send = multiprocessing.Pipe(duplex=False)
    process = _server().Process(target=_child, args=(send, work, arguments, kill), daemon=True)  # type: ignore[attr-defined]
    process.start()
    send.close()
    return Running(process, receive)


@cache
def _server() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _child(send: Connection, work: Callable[..., Any], arguments: Sequence[Any], kill: Point | None) -> None:
    if kill:
        plant(kill)
    try:
        send.send((work(*arguments), ""))
    except BaseException as error:
        send.send((type(error).__name__, traceback.format_exc()))


def plant(point: Point) -> None:
    """Replaces the function in this process by one that ends the process on its `call`-th call."""
    module_name, _, path = point.place.partition(":")
    owner: Any = import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    real, calls = getattr(owner, name), [0]

    def planted(*args: Any, **named: Any) -> Any:
        calls[0] += 1
        if calls[0] == point.call and point.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **named)
        if calls[0] == point.call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    static = isinstance(getattr_static(owner, name), staticmethod)
    setattr(owner, name, staticmethod(planted) if static else planted)
