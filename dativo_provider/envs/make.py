"""Making and removing environments: at image or start-up time, never inside a task."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dativo_provider.envs.place import Made, installed
from dativo_provider.envs.recipe import Recipe
from dativo_provider.errors import ConfigurationError, StorageUnavailable

__all__ = ["create", "remove"]

_SECONDS = 1800.0
_ASIDE = "."  # folders that are being made begin with it


def create(envs: Path, recipe: Recipe, pins: Path | None = None, python: str = sys.executable) -> Made:
    """Makes it beside an existing one, proves that its modules import, then puts it in place in one step.

    `pins` is a constraints file of pip's. Raises `ConfigurationError` with the installer's words when that fails; what
    was there before is still there then.
    """
    if pins is not None and not pins.is_file():
        raise ConfigurationError("there is no such file of pins", where=str(pins))
    with _alone(envs, recipe.name):
        _sweep(envs, recipe.name)
        folder = Path(tempfile.mkdtemp(prefix=f"{_ASIDE}{recipe.name}-", dir=envs))
        try:
            found = _build(folder, recipe, pins, python)
            folder.chmod(0o755)  # whoever runs the tasks may be another user
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _put_in_place(envs, recipe.name, folder)
        _sweep(envs, recipe.name)
    return found


def remove(envs: Path, name: str) -> bool:
    """Whether there was one."""
    if not envs.is_dir():
        return False
    with _alone(envs, name):
        there = (envs / name).is_symlink()
        (envs / name).unlink(missing_ok=True)
        _sweep(envs, name)
    return there


def _build(folder: Path, recipe: Recipe, pins: Path | None, python: str) -> Made:
    uv, inside = _uv(), folder / "bin" / "python"
    wanted = [*(["-c", str(pins.absolute())] if pins else []), *recipe.requirements]
    if uv:
        _run([uv, "venv", "-q", "--allow-existing", "--python", python, str(folder)], recipe)
        _run([uv, "pip", "install", "-q", "--compile-bytecode", "--python", str(inside), *wanted], recipe)
    else:
        _run([python, "-m", "venv", str(folder)], recipe)
        _run([str(inside), "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted], recipe)
    _run([str(inside), "-I", "-c", recipe.proof], recipe)
    found = Made.of(recipe.name, recipe.requirements, installed(inside), datetime.now(UTC).isoformat())
    found.write(folder)
    return found


def _uv() -> str:
    """Beside our interpreter, else on the path; empty when there is none."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv") or ""


def _run(command: Sequence[str], recipe: Recipe) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StorageUnavailable(f"the environment of {recipe.title} was not made: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise ConfigurationError(
            f"the environment of {recipe.title} cannot be made: {said}",
            remedy="see that the package index can be reached and that the pins agree, then try again",
        )


@contextmanager
def _alone(envs: Path, name: str) -> Iterator[None]:
    """One maker at a time; the kernel drops the lock of one that is killed."""
    envs.mkdir(parents=True, exist_ok=True)
    with open(envs / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _put_in_place(envs: Path, name: str, folder: Path) -> None:
    link = envs / f".{name}.link"
    link.unlink(missing_ok=True)
    link.symlink_to(folder.name)
    os.replace(link, envs / name)


def _sweep(envs: Path, name: str) -> None:
    """Half-made folders, and those the link does not name any more."""
    kept = os.readlink(envs / name) if (envs / name).is_symlink() else ""
    for folder in envs.glob(f"{_ASIDE}{name}-*"):
        if folder.name != kept:
            shutil.rmtree(folder, ignore_errors=True)
