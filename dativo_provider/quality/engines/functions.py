"""Functions of the user's, `function: package.module:name` or `checks/orders.py:name`, each in a process of its own.

A function gets the rows (`pyarrow.Table`; `pandas.DataFrame` with `as: pandas` or where its first parameter is
annotated so) and its `arguments`. It returns one of

| returned                                                | meaning                                                    |
|---------------------------------------------------------|------------------------------------------------------------|
| bool                                                    | whether the check passes                                   |
| number                                                  | held against the check's operator; without one, must be 0  |
| mask: Arrow, NumPy, pandas or a list of bool, by row    | true for good rows; null is neither                        |
| mapping or dataclass: `passed`, `failed`, `value`,      | any of them; without `passed`, `value` decides, or else    |
| `message`                                               | `failed`                                                   |

Only files below the tenant's roots and the job's own folder are imported, and what a distribution declares as entry
point of group `dativo.quality_checks`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from dativo_provider.config.places import place_of
from dativo_provider.config.roots import below_roots, has_scheme
from dativo_provider.envs.process import Call
from dativo_provider.model.checks import CheckSpec
from dativo_provider.model.job import JobSpec
from dativo_provider.quality.engines.base import WORKERS, Answer, Answers, Staged, ask, memory_of, seconds_of
from dativo_provider.quality.metrics.base import Scene

__all__ = ["ENTRY_POINT_GROUP", "evaluate", "found", "roots_of"]

ENTRY_POINT_GROUP = "dativo.quality_checks"


def evaluate(checks: Sequence[CheckSpec], scene: Scene, staged: Staged) -> Answers:
    return {check.id: _evaluate(check, scene, staged) for check in checks}


def _evaluate(check: CheckSpec, scene: Scene, staged: Staged) -> Answer:
    function = str(check.params["function"])
    place = found(function, roots_of(scene.plan.job if scene.plan else None))
    if isinstance(place, str):
        return Answer("error", place)
    arguments = dict(check.params.get("arguments") or {})
    request = {
        **place,
        "id": check.id,
        "as": arguments.pop("as", ""),
        "arguments": arguments,
        "columns": list(check.columns),
        "where": check.where,
    }
    wanted = Call(
        sys.executable, WORKERS / "function.py", seconds_of(check), memory_of(scene),
        modules=(*filter(None, sys.path), str(WORKERS / "shared")),
    )  # fmt: skip
    return ask(wanted, [check], request, scene, staged)[check.id]


def roots_of(job: JobSpec | None) -> list[str]:
    """The tenant's own folder (or the dags folder it shares) and the folders its files may come from."""
    if job is None:
        return [os.getcwd()]
    place = place_of(job.path) if job.path else None
    own = [str(place.folder if place.exclusive else place.root)] if place else []
    return [*own, *(root for root in job.source.roots if not has_scheme(root))]


def found(function: str, roots: Sequence[str]) -> Mapping[str, str] | str:
    """Where the function is, or a sentence on why it is nowhere."""
    for point in entry_points(group=ENTRY_POINT_GROUP, name=function):
        return {"module": point.module, "name": point.attr, "file": "", "root": ""}
    module, _, name = function.rpartition(":") if ":" in function else function.rpartition(".")
    if not module or not name.isidentifier():
        return f"'{function}' is not of the form package.module:name"
    for root in roots:
        for file in _files(module, root):
            if file.is_file() and below_roots(os.path.normpath(file), [root]):
                return {"module": _dotted(file, root), "name": name, "file": str(file), "root": root}
    return f"there is no '{module}' below {', '.join(roots) or 'any folder the tenant may use'}"


def _files(module: str, root: str) -> Iterator[Path]:
    if module.endswith(".py"):
        yield Path(root, module)
        return
    parts = module.split(".")
    if all(part.isidentifier() for part in parts):
        yield Path(root, *parts).with_suffix(".py")
        yield Path(root, *parts, "__init__.py")


def _dotted(file: Path, root: str) -> str:
    inner = Path(os.path.normpath(file)).relative_to(os.path.normpath(root)).with_suffix("")
    parts = inner.parts[:-1] if inner.name == "__init__" else inner.parts
    return ".".join(parts) if all(part.isidentifier() for part in parts) else ""
