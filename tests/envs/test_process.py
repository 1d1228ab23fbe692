"""Whatever a worker does, its caller gets an answer or a reason, in time, and nothing of it stays behind."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.envs.process import Call, WorkerFailed, call
from dativo_provider.errors import Cancelled
from tests.support import requirement

ENVS = Path(__file__).parents[2] / "dativo_provider" / "envs"


def worker(folder: Path, body: str) -> Path:
    path = folder / "worker.py"
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    path.write_text(f"import os, sys, time, subprocess\ndef answer(request):\n{lines}\n")
    return path


def ask(folder: Path, body: str, **limits: Any) -> dict[str, Any]:
    return call(Call(sys.executable, worker(folder, body), **limits), lambda _: {"n": 20})


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_alive(pid)


def test_a_request_goes_in_and_an_answer_comes_out(tmp_path: Path) -> None:
    assert ask(tmp_path, "return {'m': request['n'] + 1}") == {"m": 21}


def test_the_caller_may_leave_files_for_the_worker(tmp_path: Path) -> None:
    def request(folder: Path) -> dict[str, Any]:
        (folder / "rows.txt").write_text("a\nb\n")
        return {}

    found = call(Call(sys.executable, worker(tmp_path, "return {'rows': len(open('rows.txt').readlines())}")), request)
    assert found == {"rows": 2}


def test_secrets_of_the_caller_are_out_of_its_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", "s3cret")
    found = ask(tmp_path, "return {'names': sorted(os.environ)}", variables={"TELEMETRY": "false"})
    assert found["names"] == sorted(["HOME", "LANG", "PATH", "TELEMETRY", "TMPDIR", "TZ", *locale_coercion(found)])


def locale_coercion(found: dict[str, Any]) -> list[str]:
    return [name for name in found["names"] if name == "LC_CTYPE"]  # Python sets it itself (PEP 538)


@requirement("DQ-11")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('jane@example.com is no number')", "ended with ValueError$"),
        ("import a_package_nobody_has", "ModuleNotFoundError: No module named 'a_package_nobody_has'"),
        ("os._exit(3)", "exit code 3"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("sys.exit(0)", "without an answer|exit code|SystemExit"),
        ("return 7", "its answer is none"),
        ("return {1, 2}", "TypeError"),
    ],
)
def test_a_worker_that_fails_costs_a_sentence_without_values(tmp_path: Path, body: str, reason: str) -> None:
    with pytest.raises(WorkerFailed, match=reason) as caught:
        ask(tmp_path, body)
    assert "jane" not in str(caught.value)


def test_a_worker_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "child"
    body = f"p = subprocess.Popen(['sleep', '60']); open({str(note)!r}, 'w').write(str(p.pid)); time.sleep(60)"
    begun = time.monotonic()
    with pytest.raises(WorkerFailed, match=r"longer than 1\.5 s"):
        ask(tmp_path, body, seconds=1.5)
    assert time.monotonic() - begun < 10
    assert gone(int(note.read_text()))


def test_children_end_with_a_worker_that_answered(tmp_path: Path) -> None:
    found = ask(tmp_path, "return {'pid': subprocess.Popen(['sleep', '60']).pid}")
    assert gone(found["pid"])


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is watched on Linux only")
def test_a_worker_that_grows_is_ended(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed, match="more than 200 MB"):
        ask(tmp_path, "kept = []\nwhile True: kept.append(bytearray(os.urandom(1 << 20)))", memory_mb=200, seconds=60)


def test_a_worker_that_talks_without_end_does_not_fill_our_memory(tmp_path: Path) -> None:
    body = "for n in range(300_000): print('x' * 100, file=sys.stderr)\nreturn {'done': True}"
    assert ask(tmp_path, body, seconds=60) == {"done": True}


def test_a_cancelled_run_ends_the_worker(tmp_path: Path) -> None:
    note, begun = tmp_path / "pid", time.monotonic()

    def check() -> None:
        if note.exists() and note.read_text():
            raise Cancelled("stop")

    body = f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    with pytest.raises(Cancelled):
        call(Call(sys.executable, worker(tmp_path, body)), lambda _: {}, check)
    assert time.monotonic() - begun < 10
    assert gone(int(note.read_text()))


def test_a_worker_dies_with_its_caller(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    path = worker(tmp_path, f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    program = (
        "import sys; from pathlib import Path; from dativo_provider.envs.process import Call, call\n"
        f"call(Call(sys.executable, Path({str(path)!r})), lambda folder: {{}})"
    )
    caller = subprocess.Popen([sys.executable, "-c", program])
    deadline = time.monotonic() + 30
    while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    caller.kill()
    caller.wait()
    assert gone(int(note.read_text()))


def test_an_interpreter_that_is_none_is_a_reason(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailed, match="does not start"):
        call(Call(str(tmp_path / "no-python"), worker(tmp_path, "return {}")), lambda _: {})


def test_what_runs_in_the_other_interpreter_imports_nothing_of_ours() -> None:
    files = [ENVS / "runner.py", *(ENVS.parent / "quality" / "engines" / "workers").rglob("*.py")]
    for file in files:
        nodes = ast.walk(ast.parse(file.read_text()))
        modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
        assert not [name for name in modules if name.startswith("dativo_provider")], file
    assert os.path.basename(files[0]) == "runner.py"
