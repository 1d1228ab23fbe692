"""Whatever a command does last, each of its lines arrives."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dativo_provider.envs.lines import Conversation, Ended, Program


class Busy:
    """Takes so long over its first question that the command writes and ends meanwhile."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self) -> None:
        seconds, self.seconds = self.seconds, 0.0
        time.sleep(seconds)


def test_lines_that_came_while_nobody_listened_to_a_command_that_ended_are_heard(tmp_path: Path) -> None:
    program = Program(("/bin/sh", "-c", "sleep .5; echo a; echo b"), tmp_path)
    assert list(Conversation(program, lambda _: None, Busy(1.2)).lines()) == [(1, b"a"), (2, b"b")]


def test_complaints_that_came_while_nobody_listened_tell_why_it_ended(tmp_path: Path) -> None:
    program = Program(("/bin/sh", "-c", "sleep .5; echo why >&2; exit 3"), tmp_path)
    with pytest.raises(Ended) as caught:
        list(Conversation(program, lambda _: None, Busy(1.2)).lines())
    assert (caught.value.code, caught.value.said) == (3, ("why",))
